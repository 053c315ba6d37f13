// SPDX-License-Identifier: Apache-2.0
//
// The pods of a node as far as they are known, and which containers somebody would like to know
// about. Pure: time is passed in. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "identity/kube_pod.hpp"
#include "identity/names.hpp"

namespace powertrace {

class KubePods {
 public:
  struct Options {
    std::size_t max_pods = 20'000;  // far beyond what a node runs; more are left out
    std::size_t max_wanted = 4096;
    // A container that its pod has not listed for so long is the sandbox: runtimes start it first
    // and Kubernetes never lists it.
    std::uint64_t sandbox_after_ns = 15'000'000'000;
    std::uint64_t first_retry_ns = 2'000'000'000;  // doubled for each further one
    std::size_t max_asks = 6;                      // then the next regular refresh has to do
  };
  KubePods() : KubePods(Options()) {}
  explicit KubePods(const Options& options) : options_(options) {}

  void replace(std::vector<KubePod> pods);
  void change(KubePod pod);
  void remove(std::string_view uid);

  // A container that was seen running. Those outside pods are nobody's business here.
  void want(const ContainerIdentity& container, std::uint64_t now_ns);
  // When a wanted container is worth another question; ~0: none is.
  [[nodiscard]] std::uint64_t next_ask_ns() const;
  // A question was put, so the next one about the same containers waits longer each time.
  void asked(std::uint64_t now_ns);

  // Also settles which wanted containers are sandboxes.
  std::shared_ptr<const NameTable> table(std::uint64_t now_ns);
  [[nodiscard]] std::size_t size() const { return pods_.size(); }
  [[nodiscard]] std::size_t wanted() const { return wanted_.size(); }

 private:
  struct Wanted {
    std::string pod_uid;
    std::uint64_t since_ns = 0;
    std::uint64_t next_ns = 0;
    std::size_t asks = 0;
  };

  void settle_sandboxes(std::uint64_t now_ns);

  Options options_;
  TextMap<KubePod> pods_;                // by uid
  TextMap<std::string> by_path_;         // what paths call it -> uid
  TextMap<std::string> container_pods_;  // container id -> uid
  TextMap<std::string> sandboxes_;       // container id -> what paths call its pod
  TextMap<Wanted> wanted_;               // by container id
};

}  // namespace powertrace
