// SPDX-License-Identifier: Apache-2.0
//
// Any cgroup path gives no container, or one whose parts have the form that is promised.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "identity/container_path.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const auto container = powertrace::parse_container(path);
  if (!container) {
    return 0;
  }
  require(!container->id.empty() && container->id.size() <= size);
  require(container->id.find('/') == std::string::npos || path.find("\\x2") != path.npos);
  require(!container->runtime.empty());
  const auto& pod = container->pod_uid;
  require(pod.empty() || pod.size() == 32 || pod.size() == 36);
  require(std::all_of(pod.begin(), pod.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
  }));
  return 0;
}
