// SPDX-License-Identifier: Apache-2.0
//
// Energy of a cluster, by who and when.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "history/prometheus_impl.hpp"

namespace powertrace {
namespace {

// [start, end) as windows that do not cross multiples of `resolution`, unless it is too short to be
// cut. Cut ends may be too short to tell an increase from: they are asked for longer and scaled.
std::vector<Windows> divide(const TimeRange& range, UtcMs resolution) {
  const UtcMs first = (range.start + resolution - 1) / resolution * resolution;
  const UtcMs last = range.end / resolution * resolution;
  if (first > last || range.end - range.start <= kSmallestWindow) {
    return one_window(range);
  }
  std::vector<Windows> windows;
  const auto add_end = [&](UtcMs start, UtcMs end) {
    if (start < end) {
      windows.push_back({end, end, end - start, std::max(end - start, kSmallestWindow)});
    }
  };
  add_end(range.start, first);
  if (first < last) {
    windows.push_back({first + resolution, last, resolution, resolution});
  }
  add_end(last, range.end);
  return windows;
}

// The level that has what is asked for, and its labels to group by.
Result<const SchemaLevel*> level_of(const Schema& schema,
                                    std::optional<Dimension> by,
                                    const WorkloadFilter& filter) {
  if (by == Dimension::kUser) {
    return fail(ErrorCode::kUsage,
                "a Prometheus knows no users: ask a node's own history (without --prometheus)");
  }
  const bool path = !filter.workload.empty() && filter.workload[0] == '/';
  const auto missing = [&](std::string_view what) {
    return fail(ErrorCode::kUsage, "the metrics of schema {} have no {}", schema_name(schema.id),
                what);
  };
  if (by == Dimension::kCgroup || path) {
    if (schema.cgroup.joules.empty()) {
      return missing("cgroups");
    }
    return &schema.cgroup;
  }
  const bool one_container = !filter.workload.empty() && !is_uuid(filter.workload) &&
                             filter.workload.find('/') == std::string::npos;
  if (by == Dimension::kContainer || by == Dimension::kWorkload || one_container ||
      schema.pod.joules.empty()) {
    return &schema.container;
  }
  return &schema.pod;
}

class TableBuilder {
 public:
  explicit TableBuilder(std::optional<Dimension> by) : by_(by) {}

  void add(const Workload& who, EnergyKind kind, UtcMs start, UtcMs end, std::int64_t nj) {
    if (nj == 0) {
      return;
    }
    const Workload group = by_ ? group_of(who, *by_) : Workload{};
    const std::string key = by_ ? fmt::format("{}\n{}\n{}", static_cast<int>(group.kind),
                                              group.node, group_id(group, *by_))
                                : "";
    const auto [found, is_new] = index_.try_emplace(key, table.groups.size());
    if (is_new) {
      table.groups.push_back({group, {}});
    }
    const auto number = static_cast<std::uint32_t>(found->second);
    table.groups[number].use.energy_nj[static_cast<std::size_t>(kind)] += nj;
    const auto [piece, first] = pieces_.try_emplace({number, start}, table.pieces.size());
    if (first) {
      table.pieces.push_back({number, start, end, 0});
    }
    table.pieces[piece->second].energy_nj += nj;
  }

  EnergyTable table;

 private:
  std::optional<Dimension> by_;
  std::map<std::string, std::size_t> index_;
  std::map<std::pair<std::uint32_t, UtcMs>, std::size_t> pieces_;
};

}  // namespace

// One question on its way: nodes first, then workloads, then what is left.
class PrometheusStore::Question {
 public:
  Question(const Impl& impl,
           const Schema& schema,
           const SchemaLevel& level,
           const EnergyQuery& query)
      : impl_(impl),
        schema_(schema),
        level_(level),
        labels_(impl.labels_of(level.labels)),
        query_(query),
        windows_(divide(query.range, std::max(query.resolution_ms, kSmallestWindow))),
        node_label_(impl.node_label.empty() ? schema.node_label
                                            : std::string_view(impl.node_label)),
        builder_(query.by) {}

  Result<EnergyTable> answer() {
    const WorkloadFilter& filter = query_.filter;
    const bool all = filter.name_space.empty() && filter.pod.empty() && filter.workload.empty();
    const bool nodes_only = all && (!query_.by || query_.by == Dimension::kNode);
    PT_TRY(nodes(schema_.total, 1,
                 nodes_only ? std::optional(WorkloadKind::kWorkload) : std::nullopt));
    if (!nodes_only) {
      if (all) {
        PT_TRY(nodes(schema_.idle, -1, WorkloadKind::kIdle));
        PT_TRY(nodes(schema_.unattributed, -1, WorkloadKind::kUnattributed));
      }
      PT_TRY(find_pods());
      for (const SchemaMetric& metric : level_.joules) {
        PT_TRY(workloads(metric));
      }
      if (all && !schema_.level_is_whole) {
        outside();
      }
    }
    for (const auto& [start, end] : covered_) {
      builder_.table.covered.push_back({start, end, end - start});
    }
    return std::move(builder_.table);
  }

 private:
  // `rows`: what they are in the table; nullopt: they are only summed up.
  Status nodes(const std::vector<SchemaMetric>& metrics,
               int sign,
               std::optional<WorkloadKind> rows) {
    for (const SchemaMetric& metric : metrics) {
      Selector selector = select(metric);
      if (!query_.filter.node.empty()) {
        selector.equal(node_label_, query_.filter.node);
      }
      PT_TRY(impl_.increase({node_label_, "zone"}, selector, windows_,
                            [&](const MetricSeries& series, UtcMs start, UtcMs end, double joules) {
                              const EnergyKind kind = kind_of(metric, series);
                              if (sign > 0) {
                                covered_.emplace(start, end);
                              }
                              add_rest(start, end, kind, sign * to_nj(joules));
                              if (rows) {
                                Workload who;
                                who.kind = *rows;
                                who.node = series.label(std::string(node_label_));
                                builder_.add(who, kind, start, end, to_nj(joules));
                              }
                            }));
    }
    return {};
  }

  // Kepler's containers know only their pod's uid.
  [[nodiscard]] bool joins_pods() const {
    return &level_ == &schema_.container && level_.labels.name_space.empty();
  }
  Status find_pods() {
    if (!joins_pods()) {
      return {};
    }
    return impl_.increase(names_of(schema_.pod.labels), Selector(schema_.pod.joules.front().name),
                          one_window(query_.range),
                          [&](const MetricSeries& series, UtcMs, UtcMs, double) {
                            pods_[series.label("pod_id")] = workload_of(series, schema_.pod.labels);
                          });
  }

  Status workloads(const SchemaMetric& metric) {
    Selector selector = select(metric);
    WorkloadFilter filter = query_.filter;
    std::string wanted_id;
    if (joins_pods()) {  // names are compared after the join
      filter.name_space.clear();
      filter.pod.clear();
      if (filter.workload.find('/') != std::string::npos) {
        wanted_id.swap(filter.workload);
      }
    }
    if (!restrict_to(selector, labels_, filter)) {
      return {};
    }
    Names names = names_of(labels_);
    names.push_back("zone");
    return impl_.increase(
        names, selector, windows_,
        [&](const MetricSeries& series, UtcMs start, UtcMs end, double joules) {
          Workload who = workload_of(series, labels_);
          if (const auto pod = pods_.find(who.pod_uid); pod != pods_.end()) {
            who.pod = pod->second.pod;
            who.name_space = pod->second.name_space;
          }
          const WorkloadFilter& wanted = query_.filter;
          if ((!wanted.name_space.empty() && who.name_space != wanted.name_space) ||
              (!wanted.pod.empty() && who.pod != wanted.pod) ||
              (!wanted_id.empty() && who.name_space + "/" + who.pod != wanted_id)) {
            return;
          }
          const EnergyKind kind = kind_of(metric, series);
          add_rest(start, end, kind, -to_nj(joules));
          builder_.add(who, kind, start, end, to_nj(joules));
        });
  }

  // What the nodes used and no series accounts for. Extrapolation may make the parts a little more
  // than the whole: then there is no rest.
  void outside() {
    Workload who;
    who.kind = WorkloadKind::kOther;
    for (const auto& [key, rest] : rests_) {
      if (rest.second > 0) {
        builder_.add(who, key.second, key.first, rest.first, rest.second);
      }
    }
  }
  void add_rest(UtcMs start, UtcMs end, EnergyKind kind, std::int64_t nj) {
    auto& [rest_end, rest_nj] = rests_[{start, kind}];
    rest_end = end;
    rest_nj += nj;
  }

  const Impl& impl_;
  const Schema& schema_;
  const SchemaLevel& level_;
  const SchemaLabels labels_;
  const EnergyQuery& query_;
  const std::vector<Windows> windows_;
  const std::string_view node_label_;
  TableBuilder builder_;
  std::set<std::pair<UtcMs, UtcMs>> covered_;
  std::map<std::pair<UtcMs, EnergyKind>, std::pair<UtcMs, std::int64_t>> rests_;
  std::map<std::string, Workload> pods_;  // by uid
};

Result<EnergyTable> PrometheusStore::energy(const EnergyQuery& query) {
  PT_ASSIGN(const Schema* schema, impl_->schema(query.range));
  PT_ASSIGN(const SchemaLevel* level, level_of(*schema, query.by, query.filter));
  PT_ASSIGN(EnergyTable table, Question(*impl_, *schema, *level, query).answer());
  if (schema->id == MetricSchema::kPowertrace) {
    const UtcMs length = std::max(query.range.end - query.range.start, kSmallestWindow);
    PT_ASSIGN(
        const std::vector<MetricSeries> estimates,
        impl_->client.query(
            fmt::format("count(count_over_time(powertrace_source_info{{measured=\"false\"}}[{}]))",
                        promql_duration(length)),
            query.range.end));
    table.measured = estimates.empty();
  }
  return table;
}

}  // namespace powertrace
