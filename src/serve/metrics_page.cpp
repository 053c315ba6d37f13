// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics_page.hpp"

#include <algorithm>
#include <iterator>

#include "serve/labels.hpp"
#include "serve/metrics_rows.hpp"

namespace powertrace {
namespace {

// Left alone by clang-format, which breaks such lines where they happen to be full.
// clang-format off
constexpr std::string_view kOwnText =
    "`_joules_total` of a level adds up, with its rows `[kernel]`, `[powertrace]` and `[others]` and with "
    "`powertrace_gone_joules_total`, to `powertrace_node_active_joules_total`; with `powertrace_node_idle_joules_total` and "
    "`powertrace_unattributed_joules_total` to the zones of the node, to the nJ. Add `package`, `dram` and `gpu` for a total; "
    "`core` and `uncore` are parts of `package`, `psys` and `platform` contain it. Cycles and instructions need hardware "
    "counters. In OpenMetrics every counter has its `_created`.";
constexpr std::string_view kKepler2Text =
    "Node energy is split by Kepler's formula (active = energy × CPU utilisation), so that its dashboards agree; workloads "
    "share the active energy by powertrace's model. `path` is the source and its zone. A `[others]` row appears in a level "
    "only if workloads were folded into it; the process level also has `[kernel]` and `[powertrace]`. Not exported, for lack "
    "of such sources: `kepler_*_gpu_*`, `kepler_platform_watts`.";
constexpr std::string_view kKepler1Text =
    "`mode=\"dynamic\"` is what is attributed to workloads, `mode=\"idle\"` the idle energy, divided evenly over processes. "
    "What runs in no container is `system_processes`, the kernel's threads are `kernel_processes`. `source` is `rapl-sysfs`, "
    "`estimator` (not measured) or `none` (no such zone: the value is 0). `kepler_node_info` is a gauge: a counter must be "
    "named `_total`. Not exported: GPU series, and the counters `cache_miss`, `bpf_net_tx_irq`, `bpf_net_rx_irq`, "
    "`bpf_block_irq` and `bpf_page_cache_hit`, which powertrace does not take. `instance` becomes `exported_instance` when "
    "scraped without `honor_labels`.";
constexpr std::string_view kSelfText =
    "Always exported. `process_*` are those of every Prometheus client library.";
// clang-format on

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    out += c == '|' ? "\\|" : std::string(1, c);
  }
}

}  // namespace

Result<Schemas> parse_schemas(std::string_view list) {
  Schemas schemas{false, false, false};
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    if (name == "powertrace") {
      schemas.own = true;
    } else if (name == "kepler2") {
      schemas.kepler2 = true;
    } else if (name == "kepler1") {
      schemas.kepler1 = true;
    } else {
      return fail(ErrorCode::kUsage,
                  "\"{}\" is not a schema: use powertrace, kepler2 or kepler1, separated by commas",
                  name);
    }
    if (comma == std::string_view::npos) {
      return schemas;
    }
    list.remove_prefix(comma + 1);
  }
}

std::vector<CpuDescription> parse_cpuinfo(std::string_view text) {
  std::vector<CpuDescription> cpus;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      continue;
    }
    const std::string_view key =
        line.substr(0, line.find_last_not_of(" \t", colon - (colon > 0 ? 1 : 0)) + 1);
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.size(), value.find_first_not_of(' ')));
    if (key == "processor") {
      cpus.emplace_back().processor = value;
    } else if (cpus.empty()) {
      continue;
    } else if (key == "vendor_id") {
      cpus.back().vendor_id = value;
    } else if (key == "model name") {
      cpus.back().model_name = value;
    } else if (key == "physical id") {
      cpus.back().physical_id = value;
    } else if (key == "core id") {
      cpus.back().core_id = value;
    }
  }
  return cpus;
}

double watts(std::int64_t nanojoules, double seconds) {
  return seconds > 0 ? static_cast<double>(nanojoules) / 1e9 / seconds : 0;
}

std::vector<ZoneLabel> zone_labels(const AccountView& account) {
  std::vector<ZoneLabel> labels;
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    if (account.has_kind[kind]) {
      labels.push_back({kind, label_list({{"zone", zone_kind_name(static_cast<ZoneKind>(kind))}})});
    }
  }
  return labels;
}

LevelRows::LevelRows(const AccountView& account, AccountLevel level, std::string_view node_name)
    : kernel_labels_(remainder_labels(level, "[kernel]", node_name)),
      powertrace_labels_(remainder_labels(level, "[powertrace]", node_name)),
      others_labels_(remainder_labels(level, "[others]", node_name)) {
  const LevelView& view = account.level(level);
  workloads_.reserve(view.workloads.size());
  for (const WorkloadView& workload : view.workloads) {
    workloads_.push_back(
        {workload.labels.get(), &workload.use, workload.created_ms, workload.terminated});
  }
  const std::uint64_t sequence = account.snapshot->sequence;
  const auto merge = [&](AccountUsage& sum, const AccountUsage& more) {
    AccountUsage fresh = more;
    sum.total += more.total;
    sum.sequence = sequence;
    if (fresh.sequence == sequence) {
      sum.last_energy_nj += more.last_energy_nj;
      sum.last_kepler_nj += more.last_kepler_nj;
      sum.last_run_ns += more.last_run_ns;
    }
  };
  merge(others_, view.outside);
  merge(others_, view.folded);
  system_use_ = others_;
  merge(system_use_, view.powertrace);
  remainders_ = {{&kernel_labels_, &view.kernel, account.start_ms, false},
                 {&powertrace_labels_, &view.powertrace, account.start_ms, false},
                 {&others_labels_, &others_, account.start_ms, false}};
  folded_ = {&others_labels_, &view.folded, account.start_ms, false};
  system_ = {&powertrace_labels_, &system_use_, account.start_ms, false};
}

std::string metrics_page(const AccountView& account,
                         const PageConfig& config,
                         const ProgramStats& program,
                         MetricFormat format,
                         std::string page) {
  page.clear();
  PageInput in{account, config, program, zone_labels(account), {}};
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    in.levels.emplace_back(account, static_cast<AccountLevel>(i), config.node_name);
  }
  MetricsWriter out(page, format);
  if (config.schemas.own) {
    write_own_schema(in, out);
  }
  if (config.schemas.kepler2) {
    write_kepler2_schema(in, out);
  }
  if (config.schemas.kepler1) {
    write_kepler1_schema(in, out);
  }
  write_self_metrics(in, out);
  for (const MetricSource& source : config.more) {
    source.write(out);
  }
  out.finish();
  return page;
}

std::size_t series_per_workload(AccountLevel level,
                                const PageConfig& config,
                                std::size_t zone_kinds) {
  constexpr std::size_t kUsage = 3;       // CPU time, cycles, instructions
  constexpr std::size_t kComponents = 7;  // of Kepler <= 0.9, with the total
  std::size_t series = 0;
  if (config.schemas.own) {
    series += zone_kinds + kUsage;
  }
  if (config.schemas.kepler2 && level != AccountLevel::kCgroup) {
    const bool seconds = level == AccountLevel::kProcess || level == AccountLevel::kContainer;
    series += 2 * zone_kinds + (seconds ? 1 : 0);
  }
  if (config.schemas.kepler1 && level != AccountLevel::kCgroup && level != AccountLevel::kPod) {
    series += 2 * kComponents + kUsage;
  }
  return series;
}

std::vector<SchemaDescription> describe_metrics() {
  const auto copy = [](std::span<const MetricFamily> families) {
    return std::vector<MetricFamily>(families.begin(), families.end());
  };
  return {
      {"Schema powertrace", kOwnText, copy(own_families())},
      {"Schema kepler2 (names of Kepler 0.10 and later)", kKepler2Text, copy(kepler2_families())},
      {"Schema kepler1 (names of Kepler 0.9 and earlier)", kKepler1Text, copy(kepler1_families())},
      {"About powertrace itself", kSelfText, copy(self_families())}};
}

std::string metrics_markdown(std::span<const SchemaDescription> schemas) {
  std::string text;
  for (const SchemaDescription& schema : schemas) {
    fmt::format_to(std::back_inserter(text),
                   "\n## {}\n\n{}\n\n| metric | type | labels | help |\n|---|---|---|---|\n",
                   schema.title, schema.text);
    for (const MetricFamily& family : schema.families) {
      std::string labels(family.labels);
      for (std::size_t at = 0; (at = labels.find(',', at)) != std::string::npos; at += 2) {
        labels.replace(at, 1, ", ");
      }
      fmt::format_to(std::back_inserter(text), "| `{}` | {} | {} | ", family.name,
                     family.type == MetricType::kCounter ? "counter" : "gauge", labels);
      append_escaped(text, family.help);
      text += " |\n";
    }
  }
  return text;
}

}  // namespace powertrace
