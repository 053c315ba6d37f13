// SPDX-License-Identifier: Apache-2.0
//
// What watching costs: powertrace's own CPU time and memory, and what its programs do in the
// kernel. Loop thread only.
#pragma once

#include <cstdint>

#include "model/snapshot.hpp"
#include "trace/tracer.hpp"

namespace powertrace {

class SelfMeter {
 public:
  // Begins an interval.
  void reset(const Tracer& tracer);
  // The cost since reset(); energy_nj is left 0, the ledger knows it.
  [[nodiscard]] SelfCost read(const Tracer& tracer) const;

 private:
  TraceStats stats_;
  std::uint64_t cpu_ns_ = 0;
};

}  // namespace powertrace
