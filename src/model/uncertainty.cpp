// SPDX-License-Identifier: Apache-2.0
#include "model/uncertainty.hpp"

#include <cmath>

namespace powertrace {
namespace {

// Worth the power of this long, one standard deviation, however many windows the interval has.
constexpr double kEdgeJitterNs = 550'000;

}  // namespace

double jitter_variance_nj2(const Zone& zone, const LedgerZone& use, std::int64_t energy_nj) {
  if (!zone.measured || use.duration_ns == 0) {
    return 0;
  }
  // The share of the zone x the zone's power x the jitter.
  const double sigma_nj =
      static_cast<double>(energy_nj) * kEdgeJitterNs / static_cast<double>(use.duration_ns);
  return sigma_nj * sigma_nj;
}

double energy_sigma_nj(std::int64_t energy_nj, double variance_nj2, double expected_error) {
  const double source_nj = static_cast<double>(energy_nj) * expected_error;
  return std::sqrt(variance_nj2 + source_nj * source_nj);
}

}  // namespace powertrace
