// SPDX-License-Identifier: Apache-2.0
// Every market parser: the first byte says which. What comes out must be a sound series.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "market/parsers.hpp"
#include "market/providers.hpp"
#include "market/store.hpp"
#include "market/week_rules.hpp"

using namespace powertrace;

namespace {

void check(const Series& series) {
  std::int64_t end_s = 0;
  for (const Slot& slot : series.slots) {
    if (slot.start_s < end_s || slot.end_s <= slot.start_s || !std::isfinite(slot.value)) {
      std::abort();
    }
    end_s = slot.end_s;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  static const TimeZone zone = *TimeZone::find("Europe/Paris");
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ParseContext context{"FR", 0};
  const std::size_t which = data[0] % (providers().size() + 5);
  if (which < providers().size()) {
    if (const auto series = parse_answer(providers()[which].name, text, context)) {
      check(*series);
    }
    return 0;
  }
  switch (which - providers().size()) {
    case 0:
      if (const auto series = series_from_json(text)) {
        check(*series);
      }
      return 0;
    case 1:
      if (const auto rules = parse_week_rules(text)) {
        (void)tariff_series(*rules, zone, 1'774'738'800, 1'774'738'800 + 2 * 86'400);
      }
      return 0;
    default:
      break;
  }
  const auto files = which - providers().size() == 2
                         ? parse_period_csv(text, zone, {2026, 3, 29}, context)
                     : which - providers().size() == 3 ? parse_time_csv(text, context)
                                                       : parse_epex_page(text, context);
  if (files) {
    for (const Series& series : *files) {
      check(series);
    }
  }
  return 0;
}
