// SPDX-License-Identifier: Apache-2.0
#include "base/event_loop.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <utility>

namespace powertrace {

Result<EventLoop> EventLoop::create() {
  EventLoop loop;
  loop.epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop.epoll_.valid()) {
    return fail_errno(errno, "cannot create an epoll instance");
  }
  return loop;
}

Status EventLoop::add_fd(int fd, std::function<void()> handler) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail_errno(errno, "cannot watch file descriptor {}", fd);
  }
  handlers_[fd] = std::make_shared<std::function<void()>>(std::move(handler));
  return {};
}

void EventLoop::remove_fd(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  handlers_.erase(fd);
}

Status EventLoop::add_timer(std::uint64_t period_ns, std::function<void()> handler) {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) {
    return fail_errno(errno, "cannot create a timer");
  }
  itimerspec spec{};
  spec.it_interval.tv_sec = static_cast<time_t>(period_ns / 1'000'000'000U);
  spec.it_interval.tv_nsec = static_cast<long>(period_ns % 1'000'000'000U);
  spec.it_value = spec.it_interval;
  if (::timerfd_settime(timer.get(), 0, &spec, nullptr) != 0) {
    return fail_errno(errno, "cannot set a timer of {} ns", period_ns);
  }
  const int fd = timer.get();
  owned_.push_back(std::move(timer));
  return add_fd(fd, [fd, handler = std::move(handler)] {
    std::uint64_t expirations = 0;
    if (::read(fd, &expirations, sizeof(expirations)) == sizeof(expirations)) {
      handler();
    }
  });
}

Status EventLoop::add_signals(std::initializer_list<int> signals,
                              std::function<void(int)> handler) {
  return add_signals_with_origin(signals,
                                 [handler = std::move(handler)](const signalfd_siginfo& info) {
                                   handler(static_cast<int>(info.ssi_signo));
                                 });
}

Status EventLoop::add_signals_with_origin(std::initializer_list<int> signals,
                                          std::function<void(const signalfd_siginfo&)> handler) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    sigaddset(&set, signal);
  }
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return fail_errno(error, "cannot block signals");
  }
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    return fail_errno(errno, "cannot create a signal descriptor");
  }
  const int raw = fd.get();
  owned_.push_back(std::move(fd));
  return add_fd(raw, [raw, handler = std::move(handler)] {
    signalfd_siginfo info{};
    while (::read(raw, &info, sizeof(info)) == sizeof(info)) {
      handler(info);
    }
  });
}

Status EventLoop::run() {
  running_ = true;
  std::array<epoll_event, 16> events{};
  while (running_) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail_errno(errno, "cannot wait for events");
    }
    for (int i = 0; i < count && running_; ++i) {
      // A handler may remove another one: look it up now, and keep it alive while it runs.
      const auto found = handlers_.find(events[static_cast<std::size_t>(i)].data.fd);
      if (found != handlers_.end()) {
        const auto handler = found->second;
        (*handler)();
      }
    }
  }
  return {};
}

}  // namespace powertrace
