// SPDX-License-Identifier: Apache-2.0
// Publication_MarketDocument (IEC 62325): TimeSeries > Period > Point. Elements go by local name:
// the version is in the namespace, and old and new ones are in use side by side.
#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>

#include "base/units.hpp"
#include "market/markup.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kEntsoe = "entsoe";
// A month in quarters of an hour; more is no answer to what we ask.
constexpr std::int64_t kMaxPositions = 3000;

struct Period {
  std::int64_t rank = 0;  // of the auction; 1 is the coupled day-ahead market
  std::int64_t resolution_s = 0;
  std::vector<RawSlot> slots;
};

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

Result<std::int64_t> resolution_of(const xmlNode* period) {
  const std::string text = child_text(period, "resolution");
  for (const auto& [name, minutes] : {std::pair{"PT15M", 15}, {"PT30M", 30}, {"PT60M", 60}}) {
    if (text == name) {
      return minutes * kMinuteS;
    }
  }
  return fail(ErrorCode::kMalformed, "{}: the resolution \"{}\" is none of PT15M, PT30M, PT60M",
              kEntsoe, text.substr(0, 40));
}

Result<std::map<std::int64_t, double>> points_of(const xmlNode* period, std::int64_t positions) {
  std::map<std::int64_t, double> points;
  for (const xmlNode* point : children(period, "Point")) {
    const auto position = whole_number(child_text(point, "position"));
    const auto price = number(child_text(point, "price.amount"));
    if (!position || *position < 1 || *position > positions || !price) {
      return fail(ErrorCode::kMalformed, "{}: a point has position \"{}\" and price \"{}\"",
                  kEntsoe, child_text(point, "position").substr(0, 20),
                  child_text(point, "price.amount").substr(0, 20));
    }
    if (!points.emplace(*position, *price).second) {
      return fail(ErrorCode::kMalformed, "{}: position {} occurs twice", kEntsoe, *position);
    }
  }
  return points;
}

// In curve A03 a position that is left out repeats the one before; in A01 all must be there.
Result<Period> read_period(const xmlNode* node, std::int64_t rank, bool repeats, double factor) {
  Period period;
  period.rank = rank;
  PT_ASSIGN(period.resolution_s, resolution_of(node));
  const xmlNode* interval = child(node, "timeInterval");
  PT_ASSIGN(const std::int64_t start_s, parse_time(child_text(interval, "start")));
  PT_ASSIGN(const std::int64_t end_s, parse_time(child_text(interval, "end")));
  const std::int64_t positions = (end_s - start_s) / period.resolution_s;
  if (end_s <= start_s || (end_s - start_s) % period.resolution_s != 0 ||
      positions > kMaxPositions) {
    return fail(ErrorCode::kMalformed, "{}: a period from {} to {} cannot be", kEntsoe,
                format_time(start_s), format_time(end_s));
  }
  PT_ASSIGN(const auto points, points_of(node, positions));
  std::optional<double> price;
  for (std::int64_t position = 1; position <= positions; ++position) {
    const auto point = points.find(position);
    if (point != points.end()) {
      price = point->second * factor;
    } else if (!repeats || !price) {
      return fail(ErrorCode::kMalformed, "{}: position {} of {} is missing", kEntsoe, position,
                  positions);
    }
    const std::int64_t slot_s = start_s + (position - 1) * period.resolution_s;
    period.slots.push_back({slot_s, slot_s + period.resolution_s, price});
  }
  return period;
}

Status read_series(const xmlNode* node, std::string& currency, std::vector<Period>& periods) {
  const std::string unit_text =
      child_text(node, "currency_Unit.name") + "/" + child_text(node, "price_Measure_Unit.name");
  PT_ASSIGN(const Unit unit, parse_unit(unit_text));
  if (unit.quantity != Quantity::kPrice || (!currency.empty() && unit.currency != currency)) {
    return fail(ErrorCode::kMalformed,
                "{}: \"{}\" is no price or not in the currency of the others", kEntsoe,
                unit_text.substr(0, 40));
  }
  currency = unit.currency;
  const std::string curve = child_text(node, "curveType");
  if (curve != "A01" && curve != "A03") {
    return fail(ErrorCode::kMalformed, "{}: the curve type \"{}\" is neither A01 nor A03", kEntsoe,
                curve.substr(0, 20));
  }
  std::int64_t rank = 1;
  const std::string rank_text =
      child_text(node, "classificationSequence_AttributeInstanceComponent.position");
  if (!rank_text.empty()) {
    const auto given = whole_number(rank_text);
    if (!given) {
      return fail(ErrorCode::kMalformed, "{}: the classification \"{}\" is no number", kEntsoe,
                  rank_text.substr(0, 20));
    }
    rank = *given;
  }
  for (const xmlNode* period_node : children(node, "Period")) {
    PT_ASSIGN(Period period, read_period(period_node, rank, curve == "A03", unit.factor));
    periods.push_back(std::move(period));
  }
  return {};
}

// Where several series cover the same time: the first auction's, of those the finest.
std::vector<RawSlot> choose(std::vector<Period> periods) {
  std::stable_sort(periods.begin(), periods.end(), [](const Period& a, const Period& b) {
    return std::tuple(a.rank, a.resolution_s) < std::tuple(b.rank, b.resolution_s);
  });
  std::map<std::int64_t, RawSlot> chosen;  // by start; disjoint
  for (const Period& period : periods) {
    for (const RawSlot& slot : period.slots) {
      const auto next = chosen.lower_bound(slot.start_s);
      const bool free = (next == chosen.end() || next->second.start_s >= slot.end_s) &&
                        (next == chosen.begin() || std::prev(next)->second.end_s <= slot.start_s);
      if (free) {
        chosen.emplace(slot.start_s, slot);
      }
    }
  }
  std::vector<RawSlot> slots;
  for (const auto& [start_s, slot] : chosen) {
    slots.push_back(slot);
  }
  return slots;
}

}  // namespace

Result<Series> parse_entsoe(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Markup document, Markup::xml(kEntsoe, text));
  const xmlNode* root = document.root();
  const std::string name(root == nullptr ? "" : node_name(root));
  if (name == "Acknowledgement_MarketDocument") {
    const xmlNode* reason = child(root, "Reason");
    return fail(ErrorCode::kNotFound, "{}: {} (reason {})", kEntsoe,
                child_text(reason, "text").substr(0, 200),
                child_text(reason, "code").substr(0, 20));
  }
  if (name != "Publication_MarketDocument") {
    return fail(ErrorCode::kMalformed, "{}: the answer is a \"{}\", no market document", kEntsoe,
                name.substr(0, 60));
  }
  SeriesInfo info;
  std::vector<Period> periods;
  for (const xmlNode* series : children(root, "TimeSeries")) {
    PT_TRY(read_series(series, info.currency, periods));
  }
  info.area = context.area;
  info.source = kEntsoe;
  info.licence = "ENTSO-E Transparency Platform";
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), choose(std::move(periods)));
}

}  // namespace powertrace
