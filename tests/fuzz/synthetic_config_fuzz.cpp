// SPDX-License-Identifier: Apache-2.0
//
// Any --synthetic text is refused with a message or gives watts that make sense.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "energy/synthetic_config.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace powertrace;
  const auto config = parse_synthetic({reinterpret_cast<const char*>(data), size});
  if (!config) {
    require(config.error().code == ErrorCode::kUsage && !config.error().message.empty());
    return 0;
  }
  const SyntheticModel model(*config, CpuVendor::kAmd, 8);
  require(model.expected_error() > 0 && model.expected_error() < 1);
  double previous_w = 0;
  for (const double load : {0.0, 0.05, 0.5, 0.999, 1.0}) {
    const NodePower power = model.at(load, 16);
    const double watts = power.total_w();
    require(std::isfinite(watts) && watts >= previous_w - 1e-6 * watts);
    require(power.idle_w >= 0 && power.active_w >= 0 && power.dram_w >= 0);
    previous_w = watts;
  }
  return 0;
}
