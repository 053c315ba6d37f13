// SPDX-License-Identifier: Apache-2.0
#include "cli/cap/node_annotations.hpp"

#include <chrono>

#include "base/log.hpp"
#include "market/local_time.hpp"
#include "net/http_client.hpp"

namespace powertrace {
namespace {

constexpr auto kLeastDistance = std::chrono::seconds(10);
constexpr std::uint64_t kTimeoutNs = 5'000'000'000;

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "\"";
}

// Without the time, which alone is no reason to write.
std::string patch_of(const CapStatus& status, AnnotationNames names, const std::string& time) {
  const auto entry = [](std::string_view name, std::string_view value) {
    return quoted(name) + ":" + quoted(value);
  };
  std::string list;
  if (names == AnnotationNames::kRapl) {
    list = entry("rapl/pmax", fmt::format("{:.0f}", status.applied_w * 1e6)) + "," +
           entry("rapl/max_power_uw", fmt::format("{:.0f}", status.original_w * 1e6)) + "," +
           entry("power-manager/initialized", "powertrace") + "," +
           entry("rapl/provider", status.source) + "," + entry("rapl/last-update", time);
    if (!status.period.empty()) {
      list += "," + entry("rapl/market-period", status.period);
    }
    if (status.value && status.quantity == "volume") {
      list += "," + entry("rapl/market-volume", fmt::format("{:.1f}", *status.value));
    }
    if (status.value && status.quantity == "price") {  // of a MWh, as the older names mean it
      list += "," + entry("rapl/market-price", fmt::format("{:.2f}", *status.value * 1000));
    }
  } else {
    list = entry("powertrace.io/power-limit-watts", fmt::format("{:.1f}", status.applied_w)) + "," +
           entry("powertrace.io/power-original-watts", fmt::format("{:.1f}", status.original_w)) +
           "," + entry("powertrace.io/power-policy", status.policy) + "," +
           entry("powertrace.io/power-phase", status.phase) + "," +
           entry("powertrace.io/power-mode", status.mode) + "," +
           entry("powertrace.io/power-updated", time);
  }
  return "{\"metadata\":{\"annotations\":{" + list + "}}}";
}

}  // namespace

std::string annotation_patch(const CapStatus& status, AnnotationNames names) {
  return patch_of(status, names, format_time(status.time_s));
}

NodeAnnotations::NodeAnnotations(NodeAnnotationsConfig config) : config_(std::move(config)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void NodeAnnotations::publish(const CapStatus& status) {
  const std::string timeless = patch_of(status, config_.names, "");
  const std::scoped_lock lock(mutex_);
  if (timeless != sent_) {
    sent_ = timeless;
    waiting_ = annotation_patch(status, config_.names);
    changed_.notify_one();
  }
}

void NodeAnnotations::finish(const CapStatus& status) {
  thread_.request_stop();
  thread_.join();
  (void)send(annotation_patch(status, config_.names), {});
}

bool NodeAnnotations::send(std::string patch, const std::stop_token& stop) const {
  HttpRequest request;
  request.body = std::move(patch);
  request.method = HttpMethod::kPatch;
  request.url = config_.api_server + "/api/v1/nodes/" + url_encode(config_.node);
  request.headers = {{"Content-Type", "application/merge-patch+json"}};
  request.bearer_token_file = config_.token_file;
  request.tls.ca_file = config_.ca_file;
  request.timeout_ns = kTimeoutNs;
  request.connect_timeout_ns = kTimeoutNs;
  request.stop = stop;
  const auto response = http_send(request);
  const bool done = response && response->ok();
  if (!done && !stop.stop_requested()) {
    log_warn("the annotations of node {} cannot be set: {}", config_.node,
             response ? fmt::format("status {}", response->status) : response.error().message);
  }
  return done;
}

void NodeAnnotations::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::string patch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return waiting_.has_value(); });
      if (!waiting_) {
        return;
      }
      patch = std::move(*waiting_);
      waiting_.reset();
    }
    const bool done = send(std::move(patch), stop);
    std::unique_lock lock(mutex_);
    if (!done) {
      sent_.clear();
    }
    changed_.wait_for(lock, stop, kLeastDistance, [] { return false; });
  }
}

}  // namespace powertrace
