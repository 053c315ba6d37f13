// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

std::vector<std::int64_t> divided(std::int64_t total, std::vector<std::uint64_t> weights) {
  std::vector<std::int64_t> parts(weights.size(), -1);
  REQUIRE(divide_exactly(total, weights, parts));
  return parts;
}

using Parts = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("divide: the largest remainders get what rounding down leaves") {
  CHECK(divided(10, {1, 1, 1}) == Parts{4, 3, 3});  // ties: the lower index
  CHECK(divided(11, {1, 1, 1}) == Parts{4, 4, 3});
  CHECK(divided(10, {1, 5, 0}) == Parts{2, 8, 0});  // 1.67 and 8.33
  CHECK(divided(100, {21, 22, 57}) == Parts{21, 22, 57});
  CHECK(divided(1, {1, 3, 2}) == Parts{0, 1, 0});
  CHECK(divided(0, {1, 2}) == Parts{0, 0});
  CHECK(divided(7, {0, 5}) == Parts{0, 7});
}

TEST_CASE("divide: no weight at all divides nothing and writes nothing") {
  std::vector<std::int64_t> parts{-1, -1};
  CHECK_FALSE(divide_exactly(5, std::vector<std::uint64_t>{0, 0}, parts));
  CHECK(parts == Parts{-1, -1});
  CHECK_FALSE(divide_exactly(5, {}, {}));
}

TEST_CASE("divide: the largest values do not overflow") {
  constexpr std::int64_t kTotal = std::numeric_limits<std::int64_t>::max();
  constexpr std::uint64_t kWeight = std::numeric_limits<std::uint64_t>::max();
  CHECK(divided(kTotal, {kWeight}) == Parts{kTotal});
  CHECK(divided(kTotal, {kWeight, kWeight}) == Parts{kTotal / 2 + 1, kTotal / 2});
  CHECK(divided(kTotal, {kWeight, 1}) == Parts{kTotal, 0});
}

TEST_CASE("divide: exact and nowhere 1 nJ off the exact share") {
  CAPTURE(test::seed());
  test::Random random(test::seed());
  for (int round = 0; round < 5000; ++round) {
    CAPTURE(round);
    const auto total = static_cast<std::int64_t>(random.magnitude(49));
    std::vector<std::uint64_t> weights(1 + random.upto(30));
    for (std::uint64_t& weight : weights) {
      weight = random.one_in(4) ? 0 : random.magnitude(59);
    }
    weights.back() = 1;
    const std::vector<std::int64_t> parts = divided(total, weights);
    CHECK(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == total);
    __extension__ using Wide = __int128;
    Wide sum = 0;
    for (const std::uint64_t weight : weights) {
      sum += weight;
    }
    bool fair = true;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Wide off = Wide{parts[i]} * sum - Wide{total} * static_cast<Wide>(weights[i]);
      fair = fair && off < sum && off > -sum;
    }
    CHECK(fair);
  }
}

}  // namespace powertrace
