// SPDX-License-Identifier: Apache-2.0
#include "accounting/report.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/choice.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<Calendar>, 2> kCalendars{
    {{"hour", Calendar::kHour}, {"day", Calendar::kDay}}};
constexpr UtcMs kLongestMs = 3660 * kDayMs;

double covered_share(const EnergyTable& table, const TimeRange& range) {
  std::int64_t covered = 0;
  for (const CoveredPiece& piece : table.covered) {
    covered += piece.covered_ms;
  }
  return std::min(1.0, static_cast<double>(covered) / static_cast<double>(range.end - range.start));
}

std::vector<CostRow> rows_by_who(const CostModel& model,
                                 const CostQuestion& question,
                                 const EnergyTable& table,
                                 double coverage) {
  const Dimension by = std::get<Dimension>(question.by);
  const double hours = question.range.seconds() / 3600 * coverage;
  const std::vector<Cost> costs = cost_by_group(model, table.groups.size(), table.pieces, hours);
  std::vector<CostRow> rows;
  for (std::size_t i = 0; i < table.groups.size(); ++i) {
    const EnergyGroup& group = table.groups[i];
    rows.push_back(
        {group_id(group.who, by), group.who, question.range, costs[i], group.use, coverage});
  }
  std::sort(rows.begin(), rows.end(), [](const CostRow& a, const CostRow& b) {
    return std::pair(-a.cost.energy_nj, a.id) < std::pair(-b.cost.energy_nj, b.id);
  });
  return rows;
}

std::vector<CostRow> rows_by_when(const CostModel& model,
                                  const CostQuestion& question,
                                  const EnergyTable& table) {
  const std::vector<TimeRange> ranges =
      divide_range(question.range, std::get<Calendar>(question.by), question.zone);
  std::vector<CostRow> rows;
  for (const CostBucket& bucket : cost_by_time(model, ranges, table.pieces, table.covered)) {
    rows.push_back({"", {}, bucket.range, bucket.cost, {}, bucket.coverage()});
  }
  return rows;
}

}  // namespace

std::string_view cost_by_name(CostBy by) {
  const auto* dimension = std::get_if<Dimension>(&by);
  return dimension != nullptr ? dimension_name(*dimension)
                              : choice_name(kCalendars, std::get<Calendar>(by));
}

Result<CostBy> parse_cost_by(std::string_view text) {
  for (const Choice<Calendar>& choice : kCalendars) {
    if (choice.name == text) {
      return CostBy(choice.value);
    }
  }
  const auto dimension = parse_dimension(text);
  if (!dimension) {
    return fail(ErrorCode::kUsage,
                "\"{}\" is nothing to group by: use namespace, pod, container, workload, cgroup, "
                "user, node, hour or day",
                text);
  }
  return CostBy(*dimension);
}

Result<CostReport> report_cost(HistoryStore& store,
                               const CostModel& model,
                               const CostQuestion& question) {
  const TimeRange& range = question.range;
  if (range.end <= range.start) {
    return fail(ErrorCode::kUsage, "the end {} is not after the start {}",
                format_rfc3339(range.end), format_rfc3339(range.start));
  }
  if (range.end - range.start > kLongestMs) {
    return fail(ErrorCode::kUsage, "from {} to {} is more than ten years: ask for less",
                format_rfc3339(range.start), format_rfc3339(range.end));
  }
  const bool by_who = std::holds_alternative<Dimension>(question.by);
  EnergyQuery query;
  query.range = range;
  query.filter = question.filter;
  query.by = by_who ? std::optional(std::get<Dimension>(question.by)) : std::nullopt;
  query.resolution_ms = query_resolution(
      model, range, by_who ? Calendar::kWhole : std::get<Calendar>(question.by), question.zone);
  PT_ASSIGN(const EnergyTable table, store.energy(query));

  CostReport report{question, {}, {}, {}, 0, table.measured, store.describe()};
  report.coverage = covered_share(table, range);
  report.rows = by_who ? rows_by_who(model, question, table, report.coverage)
                       : rows_by_when(model, question, table);
  for (const CostRow& row : report.rows) {
    report.total += row.cost;
  }
  for (const EnergyGroup& group : table.groups) {
    report.use += group.use;
  }
  return report;
}

}  // namespace powertrace
