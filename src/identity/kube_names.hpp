// SPDX-License-Identifier: Apache-2.0
//
// Names of pods and containers from Kubernetes: the kubelet of this node, asked when something
// unknown runs, or the API server, listed once and then watched. One thread of its own that never
// holds anybody up: while the server does not answer, workloads keep their ids, and names come
// later. Tokens are read anew for each request, because they are rotated.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "identity/kube_pods.hpp"
#include "identity/names.hpp"
#include "net/http_client.hpp"

namespace powertrace {

enum class KubeMode : std::uint8_t { kOff, kKubelet, kApi };

struct KubeOptions {
  KubeMode mode = KubeMode::kOff;
  std::string url;         // "https://host:port"
  std::string token_file;  // empty: no token
  std::string ca_file;     // empty: the system's authorities
  bool verify = true;      // false: any certificate will do
  std::string node_name;   // kApi: whose pods
  PodLabels labels;
};

// What was left open, from the environment that Kubernetes gives a pod: the API server's address,
// the service account's token and authority, NODE_NAME and NODE_IP from the pod's own manifest.
// kUsage names what is missing. `env` is getenv.
Result<KubeOptions> complete_kube_options(KubeOptions options,
                                          const std::function<const char*(const char*)>& env);
Result<KubeMode> parse_kube_mode(std::string_view text);

struct KubeTiming {
  std::uint64_t min_interval_ns = 2'000'000'000;  // between two questions to a kubelet
  std::uint64_t refresh_ns = 60'000'000'000;      // of a kubelet's pods, for labels
  std::uint64_t request_timeout_ns = 30'000'000'000;
  std::uint64_t watch_s = 120;  // asked of the server; up to half as much more
  std::uint64_t min_backoff_ns = 1'000'000'000;
  std::uint64_t max_backoff_ns = 60'000'000'000;
  std::size_t max_page_bytes = std::size_t{64} << 20U;
  std::size_t max_event_bytes = std::size_t{4} << 20U;
  std::size_t page_pods = 250;
};

class KubeNames final : public NameSource {
 public:
  struct Health {
    bool up = false;  // the last exchange went well
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    std::uint64_t pods = 0;
  };

  // Options must be complete. Starts the thread.
  explicit KubeNames(KubeOptions options) : KubeNames(std::move(options), KubeTiming(), {}) {}
  KubeNames(KubeOptions options, const KubeTiming& timing, const KubePods::Options& pods);
  ~KubeNames() override;
  KubeNames(const KubeNames&) = delete;
  KubeNames& operator=(const KubeNames&) = delete;
  KubeNames(KubeNames&&) = delete;
  KubeNames& operator=(KubeNames&&) = delete;

  void want(const ContainerIdentity& container) override;
  [[nodiscard]] std::shared_ptr<const NameTable> table() const override { return table_.load(); }
  [[nodiscard]] Health health() const;  // any thread

 private:
  void run_kubelet(const std::stop_token& stop);
  void run_api(const std::stop_token& stop);
  void watch_from(std::string version, const std::stop_token& stop);
  Result<std::string> list_all(const std::stop_token& stop);
  Status watch(std::string& version, const std::stop_token& stop);
  Status take_event(std::string_view line, std::string& version);
  Result<HttpResponse> exchange(HttpRequest request, const std::stop_token& stop);
  [[nodiscard]] HttpRequest request(const std::string& path) const;
  void take_wanted();
  void publish();
  void succeeded();
  void failed(const Error& error, const std::stop_token& stop);
  bool sleep_ns(std::uint64_t duration_ns, const std::stop_token& stop, bool until_wanted = false);

  KubeOptions options_;
  KubeTiming timing_;
  KubePods pods_;  // the thread's
  std::uint64_t backoff_ns_ = 0;
  bool warned_ = false;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<ContainerIdentity> wanted_;  // guarded by mutex_
  std::atomic<std::shared_ptr<const NameTable>> table_;
  std::atomic<bool> up_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> known_pods_{0};
  std::jthread thread_;  // the last: it uses all of the above
};

}  // namespace powertrace
