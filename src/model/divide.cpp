// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>

#include "model/attribution.hpp"

namespace powertrace {
namespace {

__extension__ using Product = unsigned __int128;

struct Remainder {
  Product value;
  std::size_t index;
  // Larger remainders first, ties to the lower index.
  bool operator<(const Remainder& other) const {
    return value != other.value ? value > other.value : index < other.index;
  }
};

}  // namespace

// total < 2^63 and a weight < 2^64, so their product fits 127 bits.
bool divide_exactly(std::int64_t total,
                    std::span<const std::uint64_t> weights,
                    std::span<std::int64_t> parts) {
  Product sum = 0;
  for (const std::uint64_t weight : weights) {
    sum += weight;
  }
  if (sum == 0) {
    return false;
  }
  // Called for every zone of every window: the memory is kept.
  thread_local std::vector<Remainder> remainders;
  remainders.clear();
  auto left = static_cast<std::uint64_t>(total);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Product product = Product{static_cast<std::uint64_t>(total)} * weights[i];
    const auto part = static_cast<std::uint64_t>(product / sum);
    parts[i] = static_cast<std::int64_t>(part);
    left -= part;
    if (const Product remainder = product - part * sum; remainder > 0) {
      remainders.push_back({remainder, i});
    }
  }
  // The remainders add up to left x sum and each is below sum: more than `left` of them, or none.
  const auto end = remainders.begin() + static_cast<std::ptrdiff_t>(left);
  if (end != remainders.begin()) {
    std::nth_element(remainders.begin(), end - 1, remainders.end());
  }
  std::for_each(remainders.begin(), end, [&](const Remainder& r) { ++parts[r.index]; });
  return true;
}

}  // namespace powertrace
