// SPDX-License-Identifier: Apache-2.0
#include "identity/kube_names.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace powertrace {
namespace {

constexpr std::size_t kMaxWantedNotes = 4096;
constexpr int kGone = 410;

std::uint64_t jitter(std::uint64_t value) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return value + std::uniform_int_distribution<std::uint64_t>(0, value / 2)(random);
}

// What to do about an answer that is none.
std::string status_hint(int status, KubeMode mode) {
  switch (status) {
    case 401:
      return ": the token is not accepted (it is read anew for the next request)";
    case 403:
      return mode == KubeMode::kKubelet
                 ? ": the service account needs get on nodes/pods (before Kubernetes 1.33: "
                   "nodes/proxy)"
                 : ": the service account needs list and watch on pods";
    case 404:
      return ": is --kube-url right?";
    default:
      return "";
  }
}

Error answer_error(const HttpResponse& response, KubeMode mode) {
  const std::string message = parse_status_message(response.body);
  Error error;
  error.code =
      response.status == 401 || response.status == 403 ? ErrorCode::kPermission : ErrorCode::kIo;
  error.message = fmt::format("HTTP status {}{}{}{}", response.status, message.empty() ? "" : " ",
                              message, status_hint(response.status, mode));
  return error;
}

// kNotFound says that the version is too old to go on from: list anew.
Error gone_error() {
  return {ErrorCode::kNotFound, 0, "the resource version is too old"};
}

}  // namespace

KubeNames::KubeNames(KubeOptions options, const KubeTiming& timing, const KubePods::Options& pods)
    : options_(std::move(options)),
      timing_(timing),
      pods_(pods),
      table_(std::make_shared<const NameTable>()) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    options_.mode == KubeMode::kKubelet ? run_kubelet(stop) : run_api(stop);
  });
}

KubeNames::~KubeNames() {
  thread_.request_stop();
}

void KubeNames::want(const ContainerIdentity& container) {
  if (container.pod_uid.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (wanted_.size() < kMaxWantedNotes) {
    wanted_.push_back(container);
    wake_.notify_one();
  }
}

KubeNames::Health KubeNames::health() const {
  return {up_.load(), requests_.load(), failures_.load(), known_pods_.load()};
}

HttpRequest KubeNames::request(const std::string& path) const {
  HttpRequest request;
  request.url = options_.url + path;
  request.headers = {{"Accept", "application/json"}};
  request.timeout_ns = timing_.request_timeout_ns;
  request.max_response_bytes = timing_.max_page_bytes;
  request.max_redirects = 0;
  request.tls.ca_file = options_.ca_file;
  request.tls.verify = options_.verify;
  request.bearer_token_file = options_.token_file;
  return request;
}

Result<HttpResponse> KubeNames::exchange(HttpRequest request, const std::stop_token& stop) {
  request.stop = stop;
  ++requests_;
  PT_ASSIGN(HttpResponse response, http_send(request));
  if (response.status == kGone) {
    return tl::make_unexpected(gone_error());
  }
  if (!response.ok()) {
    return tl::make_unexpected(answer_error(response, options_.mode));
  }
  return response;
}

void KubeNames::take_wanted() {
  std::vector<ContainerIdentity> wanted;
  {
    const std::lock_guard lock(mutex_);
    wanted.swap(wanted_);
  }
  const std::uint64_t now_ns = monotonic_ns();
  for (const ContainerIdentity& container : wanted) {
    pods_.want(container, now_ns);
  }
}

void KubeNames::publish() {
  take_wanted();
  table_.store(pods_.table(monotonic_ns()));
  known_pods_ = pods_.size();
}

// False once the thread shall end. `until_wanted`: also wakes up for a container nobody knows.
bool KubeNames::sleep_ns(std::uint64_t duration_ns,
                         const std::stop_token& stop,
                         bool until_wanted) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, std::chrono::nanoseconds(duration_ns),
                 [&] { return until_wanted && !wanted_.empty(); });
  return !stop.stop_requested();
}

void KubeNames::succeeded() {
  if (warned_) {
    log_info("kubernetes: {} answers again", redact_url(options_.url));
  }
  warned_ = false;
  backoff_ns_ = 0;
  up_ = true;
}

// Says so once, and waits before the next try.
void KubeNames::failed(const Error& error, const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return;
  }
  ++failures_;
  up_ = false;
  if (!warned_) {
    log_warn("kubernetes: {}: {}; workloads keep their ids until it answers",
             redact_url(options_.url), error.message);
    warned_ = true;
  } else {
    log_debug("kubernetes: {}: {}", redact_url(options_.url), error.message);
  }
  backoff_ns_ = std::clamp(backoff_ns_ * 2, timing_.min_backoff_ns, timing_.max_backoff_ns);
  sleep_ns(jitter(backoff_ns_), stop);
}

void KubeNames::run_kubelet(const std::stop_token& stop) {
  std::uint64_t refresh_at_ns = 0;
  while (!stop.stop_requested()) {
    take_wanted();
    const std::uint64_t now_ns = monotonic_ns();
    const std::uint64_t due_ns = std::min(refresh_at_ns, pods_.next_ask_ns());
    if (now_ns < due_ns) {
      sleep_ns(std::min(due_ns - now_ns, timing_.refresh_ns), stop, true);
      continue;
    }
    const auto response = exchange(request("/pods"), stop);
    auto list = response ? parse_pod_list(response->body, options_.labels)
                         : Result<KubePodList>(tl::make_unexpected(response.error()));
    if (!list) {
      failed(with_context(list.error(), "pods of the kubelet"), stop);
      continue;
    }
    succeeded();
    pods_.replace(std::move(list->pods));
    pods_.asked(monotonic_ns());
    publish();
    refresh_at_ns = monotonic_ns() + timing_.refresh_ns;
    sleep_ns(timing_.min_interval_ns, stop);
  }
}

void KubeNames::run_api(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Result<std::string> version = list_all(stop);
    if (!version) {
      failed(with_context(version.error(), "listing pods"), stop);
      continue;
    }
    succeeded();
    publish();
    watch_from(std::move(*version), stop);
  }
}

// Until it is better to list anew: the version is too old, or watching fails again and again.
void KubeNames::watch_from(std::string version, const std::stop_token& stop) {
  constexpr int kMaxFailures = 3;
  for (int failures = 0; failures < kMaxFailures && !stop.stop_requested();) {
    const std::uint64_t begin_ns = monotonic_ns();
    const Status watched = watch(version, stop);
    publish();
    if (watched) {
      failures = 0;
    } else if (watched.error().code == ErrorCode::kNotFound) {
      log_debug("kubernetes: listing pods anew: {}", watched.error().message);
      sleep_ns(jitter(timing_.min_backoff_ns), stop);
      return;
    } else {
      ++failures;
      failed(with_context(watched.error(), "watching pods"), stop);
    }
    // A server that ends each watch at once is not to be asked in a loop.
    if (monotonic_ns() - begin_ns < timing_.min_backoff_ns) {
      sleep_ns(timing_.min_interval_ns, stop);
    }
  }
}

// In pages, so that an answer has a bound. The version to watch from.
Result<std::string> KubeNames::list_all(const std::stop_token& stop) {
  const std::string path =
      fmt::format("/api/v1/pods?fieldSelector={}&limit={}",
                  url_encode("spec.nodeName=" + options_.node_name), timing_.page_pods);
  std::vector<KubePod> pods;
  std::string next;
  for (;;) {
    PT_ASSIGN(
        const HttpResponse response,
        exchange(request(next.empty() ? path : path + "&continue=" + url_encode(next)), stop));
    PT_ASSIGN(KubePodList page, parse_pod_list(response.body, options_.labels));
    std::move(page.pods.begin(), page.pods.end(), std::back_inserter(pods));
    if (page.next.empty() || pods.size() > KubePods::Options().max_pods) {
      pods_.replace(std::move(pods));
      return page.resource_version;
    }
    next = std::move(page.next);
  }
}

// Until the server ends it, which it does every few minutes. Moves `version` on.
Status KubeNames::watch(std::string& version, const std::stop_token& stop) {
  const std::uint64_t seconds = jitter(timing_.watch_s);
  HttpRequest watch = request(
      fmt::format("/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds={}&fieldSelector={}"
                  "&resourceVersion={}",
                  seconds, url_encode("spec.nodeName=" + options_.node_name), url_encode(version)));
  watch.timeout_ns += seconds * 1'000'000'000;
  std::string pending;  // the line that is not whole yet
  Status taken;
  watch.on_body = [&](std::string_view part) {
    for (std::size_t end = part.find('\n'); taken && end != std::string_view::npos;
         end = part.find('\n')) {
      pending += part.substr(0, end);
      part.remove_prefix(end + 1);
      taken = take_event(pending, version);
      pending.clear();
    }
    pending += part;
    if (taken && pending.size() > timing_.max_event_bytes) {
      taken =
          fail(ErrorCode::kMalformed, "an event of more than {} bytes", timing_.max_event_bytes);
    }
    if (taken) {
      succeeded();
      publish();
    }
    return taken.has_value();
  };
  const auto response = exchange(std::move(watch), stop);
  PT_TRY(taken);
  PT_TRY(response);
  return {};
}

Status KubeNames::take_event(std::string_view line, std::string& version) {
  if (line.empty()) {
    return {};
  }
  PT_ASSIGN(WatchEvent event, parse_watch_event(line, options_.labels));
  switch (event.type) {
    case WatchEventType::kChanged:
      pods_.change(std::move(event.pod));
      break;
    case WatchEventType::kDeleted:
      pods_.remove(event.pod.identity->uid);
      break;
    case WatchEventType::kBookmark:
      break;
    case WatchEventType::kError:
      if (event.code == kGone) {
        return tl::make_unexpected(gone_error());
      }
      return fail(ErrorCode::kIo, "status {} {}", event.code, event.message);
  }
  version = event.resource_version.empty() ? version : event.resource_version;
  return {};
}

}  // namespace powertrace
