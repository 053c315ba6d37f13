// SPDX-License-Identifier: Apache-2.0
//
// What the synthetic source is told, and the power formula that follows from it. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

enum class CpuVendor : std::uint8_t { kUnknown, kAmd, kIntel };
enum class LoadCurve : std::uint8_t { kAuto, kAmd, kIntel, kLinear, kPoints, kSeed };

// Share of the way from idle to maximum power at 0, 10, ..., 100 % load.
using CurvePoints = std::array<double, 11>;

struct SyntheticConfig {
  LoadCurve curve = LoadCurve::kAuto;  // kAuto: the vendor's, linear if there is none
  CurvePoints points{};                // curve=kPoints
  std::optional<double> idle_w;        // of the node, at rest
  std::optional<double> max_w;         // of the node at full load; with kSeed: where it is cut off
  std::optional<double> dram_share;    // of the node's power; not with kSeed
  // kSeed: base + cpu_factor * load in percent + mem_factor * used memory in GB, at most max.
  std::optional<double> base_w;
  std::optional<double> cpu_factor;
  std::optional<double> mem_factor;
};

// "idle=50,max=180,curve=amd"; "" is all defaults. Keys: idle, max, curve, dram, and with
// curve=seed base, cpu_factor, mem_factor, max. kUsage names key, value and what is accepted.
Result<SyntheticConfig> parse_synthetic(std::string_view text);

// The same limits for a config that was not parsed.
Status validate(const SyntheticConfig& config);

// A load in [0, 1] on a curve, interpolated.
double curve_at(const CurvePoints& points, double load);

struct NodePower {
  double idle_w = 0;    // of the packages, at rest
  double active_w = 0;  // of the packages, above rest
  double dram_w = 0;
  [[nodiscard]] double total_w() const { return idle_w + active_w + dram_w; }
};

// A config with everything left open filled in for this machine.
class SyntheticModel {
 public:
  SyntheticModel(const SyntheticConfig& config, CpuVendor vendor, unsigned cpus);

  [[nodiscard]] NodePower at(double load, double used_gb) const;
  [[nodiscard]] bool uses_memory() const { return seed_; }
  [[nodiscard]] bool has_dram() const { return seed_ || dram_share_ > 0; }
  // Relative, mean over loads: +-6 % needs the vendor's curve and idle and maximum as measured.
  [[nodiscard]] double expected_error() const { return expected_error_; }

 private:
  bool seed_ = false;
  CurvePoints points_{};
  double idle_w_ = 0;
  double max_w_ = 0;
  double dram_share_ = 0;
  double cpu_factor_ = 0;
  double mem_factor_ = 0;
  double expected_error_ = 0;
};

}  // namespace powertrace
