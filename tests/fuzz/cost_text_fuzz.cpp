// SPDX-License-Identifier: Apache-2.0
//
// Prices, times, filters, feature vectors and answers of a Prometheus: any bytes are refused with a
// message or give something that makes sense.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "accounting/answers.hpp"
#include "base/wall_time.hpp"
#include "cost/units.hpp"
#include "history/prometheus_client.hpp"
#include "history/promql.hpp"
#include "push/line_protocol.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// A PromQL literal ends at its last character and nowhere before.
void check_literal(std::string_view text) {
  const std::string literal = powertrace::promql_string(text);
  require(literal.size() >= 2 && literal.front() == '"' && literal.back() == '"');
  for (std::size_t i = 1; i + 1 < literal.size(); ++i) {
    require(literal[i] != '"' && literal[i] != '\n');
    i += literal[i] == '\\' ? 1 : 0;
    require(i + 1 < literal.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace powertrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto price = parse_energy_price(text)) {
    require(std::isfinite(price->value) && price->currency.size() == 3);
  }
  if (const auto grams = parse_carbon_intensity(text)) {
    require(*grams >= 0);
  }
  static_cast<void>(parse_carbon_price(text));
  static_cast<void>(parse_mass_g(text));
  if (const auto time = parse_rfc3339(text)) {
    require(parse_rfc3339(format_rfc3339(*time)).has_value());
  }
  check_literal(text);
  require(influx_tag(text).find('\n') == std::string::npos);
  if (const auto series = parse_prometheus_answer(text)) {
    for (const MetricSeries& each : *series) {
      for (const auto& [at, value] : each.values) {
        require(std::isfinite(value));
      }
    }
  }
  const auto classified = classify_json(text);
  require(classified ? !classified->empty() : !classified.error().message.empty());
  return 0;
}
