// SPDX-License-Identifier: Apache-2.0
#include "energy/synthetic_config.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/parse.hpp"

namespace powertrace {
namespace {

// Medians of the SPECpower_ssj2008 results for hardware from 2017 on, as the error figures below.
constexpr CurvePoints kAmdPoints{0, .258, .338, .418, .495, .565, .641, .719, .806, .900, 1};
constexpr CurvePoints kIntelPoints{0, .163, .225, .284, .345, .409, .488, .584, .709, .856, 1};
constexpr CurvePoints kLinearPoints{0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1};

constexpr double kErrorOwnCurve = 0.03;  // measured points of this machine, piecewise
constexpr double kErrorVendorCurve = 0.06;
constexpr double kErrorWrongVendor = 0.23;
constexpr double kErrorLinear = 0.12;
constexpr double kErrorIdleGuessed = 0.20;  // idle is 11 to 31 % of the maximum
constexpr double kErrorGuessed = 0.66;

constexpr double kIdleShare = 0.20;  // median idle/maximum from 2017 on
constexpr double kDramShare = 0.10;
constexpr double kMaxWatts = 100'000;
constexpr double kMaxDramShare = 0.9;

constexpr std::string_view kKeys = "idle, max, curve, dram, base, cpu_factor, mem_factor";

double guess_max_w(unsigned cpus) {
  return 20 + 2.5 * cpus;
}

CurvePoints points_of(LoadCurve curve, const SyntheticConfig& config) {
  switch (curve) {
    case LoadCurve::kAmd:
      return kAmdPoints;
    case LoadCurve::kIntel:
      return kIntelPoints;
    case LoadCurve::kPoints:
      return config.points;
    default:
      return kLinearPoints;
  }
}

double error_of(LoadCurve curve, const SyntheticConfig& config, CpuVendor vendor) {
  if (curve == LoadCurve::kSeed || !config.max_w) {
    return kErrorGuessed;
  }
  const auto curve_error = [curve, vendor] {
    switch (curve) {
      case LoadCurve::kAmd:
        return vendor == CpuVendor::kAmd ? kErrorVendorCurve : kErrorWrongVendor;
      case LoadCurve::kIntel:
        return vendor == CpuVendor::kIntel ? kErrorVendorCurve : kErrorWrongVendor;
      case LoadCurve::kPoints:
        return kErrorOwnCurve;
      default:
        return kErrorLinear;
    }
  }();
  return config.idle_w ? curve_error : std::max(curve_error, kErrorIdleGuessed);
}

Status check_number(std::string_view key, std::optional<double> value, double low, double high) {
  if (value && !(*value >= low && *value <= high)) {  // NaN fails both
    return fail(ErrorCode::kUsage, "synthetic: {}={} is out of range: {} to {} is accepted", key,
                *value, low, high);
  }
  return {};
}

Status check_points(const CurvePoints& points) {
  const bool rises = std::is_sorted(points.begin(), points.end()) &&
                     std::all_of(points.begin(), points.end(),
                                 [](double point) { return point >= 0 && point <= 1; });
  if (!rises || points.front() != 0 || points.back() != 1) {
    return fail(ErrorCode::kUsage,
                "synthetic: the points of curve must not fall and go from 0 at no load to 1 at "
                "full load");
  }
  return {};
}

Status check_keys_fit_curve(const SyntheticConfig& config) {
  const bool seed = config.curve == LoadCurve::kSeed;
  if (seed && (config.idle_w || config.dram_share)) {
    return fail(ErrorCode::kUsage,
                "synthetic: {} does not go with curve=seed: base, cpu_factor, mem_factor and max "
                "are accepted",
                config.idle_w ? "idle" : "dram");
  }
  if (!seed && (config.base_w || config.cpu_factor || config.mem_factor)) {
    return fail(ErrorCode::kUsage,
                "synthetic: {} needs curve=seed; other curves accept idle, max and dram",
                config.base_w ? "base" : (config.cpu_factor ? "cpu_factor" : "mem_factor"));
  }
  return {};
}

Result<double> parse_number(std::string_view key, std::string_view text) {
  const auto value = parse_double(text);
  if (!value) {
    return fail(ErrorCode::kUsage, "synthetic: {}={}: a number is accepted, for example {}=0.5",
                key, text, key);
  }
  return *value;
}

Status parse_curve(std::string_view text, SyntheticConfig& config) {
  constexpr std::array<std::pair<std::string_view, LoadCurve>, 4> kNames{
      {{"amd", LoadCurve::kAmd},
       {"intel", LoadCurve::kIntel},
       {"linear", LoadCurve::kLinear},
       {"seed", LoadCurve::kSeed}}};
  for (const auto& [name, curve] : kNames) {
    if (text == name) {
      config.curve = curve;
      return {};
    }
  }
  config.curve = LoadCurve::kPoints;
  std::string_view rest = text;
  for (std::size_t i = 0; i < config.points.size(); ++i) {
    const bool last = i + 1 == config.points.size();
    const std::size_t colon = rest.find(':');
    const auto point = parse_double(rest.substr(0, colon));
    if (!point || (colon == std::string_view::npos) != last) {
      return fail(ErrorCode::kUsage,
                  "synthetic: curve={}: amd, intel, linear, seed or 11 numbers for 0, 10, ..., "
                  "100 % load are accepted, such as 0:.1:.2:.3:.4:.5:.6:.7:.8:.9:1",
                  text);
    }
    config.points[i] = *point;
    rest.remove_prefix(last ? rest.size() : colon + 1);
  }
  return {};
}

Status parse_pair(std::string_view key, std::string_view value, SyntheticConfig& config) {
  const std::array<std::pair<std::string_view, std::optional<double>*>, 6> numbers{
      {{"idle", &config.idle_w},
       {"max", &config.max_w},
       {"dram", &config.dram_share},
       {"base", &config.base_w},
       {"cpu_factor", &config.cpu_factor},
       {"mem_factor", &config.mem_factor}}};
  for (const auto& [name, field] : numbers) {
    if (key == name) {
      PT_ASSIGN(const double number, parse_number(key, value));
      *field = number;
      return {};
    }
  }
  if (key == "curve") {
    return parse_curve(value, config);
  }
  return fail(ErrorCode::kUsage, "synthetic: unknown key \"{}\": {} are accepted", key, kKeys);
}

}  // namespace

Status validate(const SyntheticConfig& config) {
  PT_TRY(check_keys_fit_curve(config));
  PT_TRY(check_number("idle", config.idle_w, 0, kMaxWatts));
  PT_TRY(check_number("max", config.max_w, 0, kMaxWatts));
  PT_TRY(check_number("dram", config.dram_share, 0, kMaxDramShare));
  PT_TRY(check_number("base", config.base_w, 0, kMaxWatts));
  PT_TRY(check_number("cpu_factor", config.cpu_factor, 0, kMaxWatts));
  PT_TRY(check_number("mem_factor", config.mem_factor, 0, kMaxWatts));
  if (config.max_w == 0.0) {
    return fail(ErrorCode::kUsage, "synthetic: max=0: the watts at full load are accepted");
  }
  const auto at_rest = config.curve == LoadCurve::kSeed ? config.base_w : config.idle_w;
  if (at_rest && config.max_w && *at_rest > *config.max_w) {
    return fail(ErrorCode::kUsage,
                "synthetic: max={} is less than {}={}: at least that is accepted", *config.max_w,
                config.curve == LoadCurve::kSeed ? "base" : "idle", *at_rest);
  }
  return config.curve == LoadCurve::kPoints ? check_points(config.points) : Status{};
}

Result<SyntheticConfig> parse_synthetic(std::string_view text) {
  SyntheticConfig config;
  std::vector<std::string_view> seen;
  bool more = !text.empty();
  while (more) {
    const std::size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      return fail(ErrorCode::kUsage, "synthetic: \"{}\": key=value with {} is accepted", pair,
                  kKeys);
    }
    const std::string_view key = pair.substr(0, equals);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return fail(ErrorCode::kUsage, "synthetic: {} is given twice", key);
    }
    seen.push_back(key);
    PT_TRY(parse_pair(key, pair.substr(equals + 1), config));
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
  }
  PT_TRY(validate(config));
  return config;
}

double curve_at(const CurvePoints& points, double load) {
  const double place = std::clamp(load, 0.0, 1.0) * 10;
  const auto below = std::min<std::size_t>(static_cast<std::size_t>(place), 9);
  const double part = place - static_cast<double>(below);
  return points[below] + (points[below + 1] - points[below]) * part;
}

SyntheticModel::SyntheticModel(const SyntheticConfig& config, CpuVendor vendor, unsigned cpus)
    : seed_(config.curve == LoadCurve::kSeed) {
  LoadCurve curve = config.curve;
  if (curve == LoadCurve::kAuto) {
    curve = vendor == CpuVendor::kAmd     ? LoadCurve::kAmd
            : vendor == CpuVendor::kIntel ? LoadCurve::kIntel
                                          : LoadCurve::kLinear;
  }
  points_ = points_of(curve, config);
  expected_error_ = error_of(curve, config, vendor);
  if (seed_) {
    idle_w_ = config.base_w.value_or(50);
    cpu_factor_ = config.cpu_factor.value_or(2.5);
    mem_factor_ = config.mem_factor.value_or(0.5);
    max_w_ = config.max_w.value_or(std::max(500.0, idle_w_));
    return;
  }
  dram_share_ = config.dram_share.value_or(kDramShare);
  max_w_ = config.max_w.value_or(config.idle_w ? *config.idle_w / kIdleShare : guess_max_w(cpus));
  max_w_ = std::max(max_w_, config.idle_w.value_or(0));
  idle_w_ = config.idle_w.value_or(max_w_ * kIdleShare);
}

NodePower SyntheticModel::at(double load, double used_gb) const {
  NodePower power;
  if (seed_) {
    power.idle_w = idle_w_;
    power.active_w = cpu_factor_ * std::clamp(load, 0.0, 1.0) * 100;
    power.dram_w = mem_factor_ * std::max(used_gb, 0.0);
    const double cut = power.total_w() > max_w_ ? max_w_ / power.total_w() : 1;
    return {power.idle_w * cut, power.active_w * cut, power.dram_w * cut};
  }
  const double active_w = (max_w_ - idle_w_) * curve_at(points_, load);
  power.dram_w = (idle_w_ + active_w) * dram_share_;
  power.idle_w = idle_w_ * (1 - dram_share_);
  power.active_w = active_w * (1 - dram_share_);
  return power;
}

}  // namespace powertrace
