// SPDX-License-Identifier: Apache-2.0
//
// The metrics page: an account as text, in our schema and in both of Kepler's. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/account_view.hpp"
#include "serve/http_server.hpp"
#include "serve/metrics_writer.hpp"

namespace powertrace {

struct Schemas {
  bool own = true;
  bool kepler2 = true;   // names and labels of Kepler >= 0.10
  bool kepler1 = false;  // of Kepler <= 0.9
};
Result<Schemas> parse_schemas(std::string_view list);  // "powertrace,kepler2"

// One CPU, for kepler_node_cpu_info.
struct CpuDescription {
  std::string processor, vendor_id, model_name, physical_id, core_id;
};
std::vector<CpuDescription> parse_cpuinfo(std::string_view text);

struct PageConfig {
  Schemas schemas;
  std::array<bool, kAccountLevels> levels{true, true, true, true, false};
  std::string node_name;
  std::vector<CpuDescription> cpus;
  std::vector<MetricSource> more;
};

// What the page tells about the program that made it.
struct ProgramStats {
  ServerStats http;
  std::uint64_t pages = 0;   // made so far
  double page_seconds = 0;   // and what they took
  double cpu_seconds = 0;    // of the process
  double start_seconds = 0;  // since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
};

std::string metrics_page(const AccountView& account,
                         const PageConfig& config,
                         const ProgramStats& program,
                         MetricFormat format,
                         std::string page = {});

// How many series one workload of the level has, for --max-series.
std::size_t series_per_workload(AccountLevel level,
                                const PageConfig& config,
                                std::size_t zone_kinds);

// All families there are, by schema, for the documentation and its test.
struct SchemaDescription {
  std::string_view title;
  std::string_view text;
  std::vector<MetricFamily> families;
};
std::vector<SchemaDescription> describe_metrics();
std::string metrics_markdown(std::span<const SchemaDescription> schemas);

}  // namespace powertrace
