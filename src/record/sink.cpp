// SPDX-License-Identifier: Apache-2.0
#include "record/sink.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sys/stat.h>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace powertrace::record {
namespace {

constexpr std::size_t kMaxWaiting = 64U << 20U;

// What an earlier recording is renamed to.
Status keep_old(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return {};
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kUsage, "--output: {} is a directory; name a file in it", path);
  }
  if (!S_ISREG(status.st_mode) || status.st_size == 0) {
    return {};
  }
  if (std::rename(path.c_str(), (path + ".old").c_str()) != 0) {
    return fail_errno(errno, "--output: cannot keep the earlier recording as {}.old", path);
  }
  return {};
}

}  // namespace

FileSink::FileSink(UniqueFd file, std::string name, bool regular)
    : file_(std::move(file)), name_(std::move(name)), regular_(regular) {
  // The thread inherits the mask: signals are for the loop.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path) {
  if (path == "-") {
    UniqueFd out(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!out.valid()) {
      return fail_errno(errno, "cannot write to standard output");
    }
    return std::unique_ptr<FileSink>(new FileSink(std::move(out), "standard output", false));
  }
  PT_TRY(keep_old(path));
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return fail_errno(errno, "--output: cannot write {}", path);
  }
  struct stat status {};
  ::fstat(file.get(), &status);
  const bool regular = S_ISREG(status.st_mode);
  // Energy readings betray secrets (PLATYPUS), and names are in it: the owner's only, whatever the
  // file was before.
  if (regular && ::fchmod(file.get(), 0600) != 0) {
    return fail_errno(errno, "--output: cannot make {} private", path);
  }
  return std::unique_ptr<FileSink>(new FileSink(std::move(file), path, regular));
}

FileSink::~FileSink() {
  // Without finish() nobody cares for the error.
  static_cast<void>(finish());
}

Status FileSink::write(std::string block) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_bytes_ < kMaxWaiting || !failure_; });
  if (!failure_) {
    return failure_;
  }
  waiting_bytes_ += block.size();
  waiting_.push_back(std::move(block));
  changed_.notify_all();
  return {};
}

Status FileSink::finish() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      changed_.notify_all();
    }
    thread_.join();
    file_.reset();
  }
  return failure_;
}

bool FileSink::reader_gone() const {
  const std::lock_guard lock(mutex_);
  return reader_gone_;
}

void FileSink::run() {
  for (;;) {
    std::string block;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      block = std::move(waiting_.front());
      waiting_.pop_front();
    }
    put(block);
    const std::lock_guard lock(mutex_);
    waiting_bytes_ -= block.size();
    changed_.notify_all();
  }
}

void FileSink::put(const std::string& block) {
  if (!failure_ || reader_gone_) {
    return;  // only this thread sets them
  }
  for (std::size_t done = 0; done < block.size();) {
    const ssize_t count = ::write(file_.get(), block.data() + done, block.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      const int error = errno;
      // Half a block helps nobody: the file ends with the last whole one.
      const bool cut = regular_ && ::ftruncate(file_.get(), static_cast<off_t>(written_)) == 0;
      const std::lock_guard lock(mutex_);
      if (error == EPIPE) {
        reader_gone_ = true;
      } else {
        failure_ = fail_errno(error, "cannot write {}{}", name_,
                              cut ? "; what was recorded before is kept and can be read" : "");
      }
      return;
    }
    done += static_cast<std::size_t>(count);
  }
  written_ += block.size();
  if (regular_) {
    ::fdatasync(file_.get());
  }
}

}  // namespace powertrace::record
