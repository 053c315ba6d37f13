// SPDX-License-Identifier: Apache-2.0
//
// Answers of Kubernetes, state files of runtimes and qemu's arguments: anything parses or is
// refused, and what comes out keeps its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "identity/kube_pod.hpp"
#include "identity/kube_pods.hpp"
#include "identity/runtime_state.hpp"
#include "identity/vm.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  powertrace::KubePods pods;
  if (auto list = powertrace::parse_pod_list(text, {"*"})) {
    for (const auto& pod : list->pods) {
      require(!pod.identity->uid.empty() && !pod.identity->name.empty());
      require(pod.identity->name.size() <= 253);
    }
    pods.replace(std::move(list->pods));
  }
  if (auto event = powertrace::parse_watch_event(text, {"app"})) {
    if (event->type == powertrace::WatchEventType::kChanged) {
      pods.change(std::move(event->pod));
    }
  }
  require(pods.table(0) != nullptr);
  require(powertrace::parse_status_message(text).size() <= 200);
  powertrace::parse_docker_config(text);
  powertrace::parse_oci_config(text);
  powertrace::parse_runc_state(text);
  powertrace::parse_storage_list(text);
  if (const auto vm = powertrace::parse_vm_arguments(text)) {
    require(vm->id.size() <= size && vm->name.size() <= size);
  }
  powertrace::parse_vm_scope(text);
  return 0;
}
