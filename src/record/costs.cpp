// SPDX-License-Identifier: Apache-2.0
#include "record/costs.hpp"

#include <cmath>

#include "record/bytes.hpp"

namespace powertrace::record {

std::string encode_costs(const SelfCost& costs) {
  ByteWriter out;
  for (const std::uint64_t number :
       {static_cast<std::uint64_t>(std::llround(costs.cpu_seconds * 1e9)), costs.rss_bytes,
        static_cast<std::uint64_t>(std::llround(costs.bpf_ns_per_switch * 1e3)), costs.switches,
        costs.counter_reads, static_cast<std::uint64_t>(std::llround(costs.counter_read_ns * 1e3)),
        costs.lost_slices, costs.lost_events, costs.missed_switches}) {
    out.number(number);
  }
  return out.bytes();
}

std::optional<SelfCost> decode_costs(std::string_view payload) {
  ByteReader in(payload);
  SelfCost costs;
  costs.cpu_seconds = static_cast<double>(in.number()) / 1e9;
  costs.rss_bytes = in.number();
  costs.bpf_ns_per_switch = static_cast<double>(in.number()) / 1e3;
  costs.switches = in.number();
  costs.counter_reads = in.number();
  costs.counter_read_ns = static_cast<double>(in.number()) / 1e3;
  costs.lost_slices = in.number();
  costs.lost_events = in.number();
  costs.missed_switches = in.number();
  return in.ok() ? std::optional(costs) : std::nullopt;
}

}  // namespace powertrace::record
