// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "base/clock.hpp"
#include "base/sysroot.hpp"
#include "cli/cmd_market.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "market/parsers.hpp"
#include "market/store.hpp"

namespace powertrace {
namespace {

// From the text itself; a provider's answers have to be named.
std::string guess_format(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
  if (text.starts_with("Period")) {
    return "period-csv";
  }
  if (text.starts_with("start")) {
    return "time-csv";
  }
  if (text.starts_with("<?xml") || text.starts_with("<Publication")) {
    return "entsoe";
  }
  if (text.starts_with('<')) {
    return "epex-html";
  }
  return "";
}

// The first "2026-03-29" in a file's name.
std::optional<Date> date_in(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (std::size_t i = 0; i + 10 <= name.size(); ++i) {
    if (const auto date = parse_date(name.substr(i, 10))) {
      return *date;
    }
  }
  return std::nullopt;
}

Result<std::vector<Series>> parse_file(const std::string& path,
                                       const MarketImportOptions& options) {
  PT_ASSIGN(const std::string text, read_file(path, kMaxMarketBytes + 1));
  if (text.size() > kMaxMarketBytes) {
    return fail(ErrorCode::kMalformed, "it is larger than {} MiB: no market data of some days",
                kMaxMarketBytes >> 20U);
  }
  const ParseContext context{options.area,
                             static_cast<std::int64_t>(realtime_ns() / 1'000'000'000U)};
  const std::string format = options.format == "auto" ? guess_format(text) : options.format;
  if (format == "epex-html") {
    return parse_epex_page(text, context);
  }
  if (options.area.empty()) {
    return fail(ErrorCode::kUsage, "say for which area it is, as in --area FR");
  }
  if (format == "time-csv") {
    return parse_time_csv(text, context);
  }
  if (format == "period-csv") {
    const std::optional<Date> date = options.date ? options.date : date_in(path);
    if (!date) {
      return fail(
          ErrorCode::kUsage,
          "its periods have no date: give --date, or name it like epex_data_2026-03-29.csv");
    }
    return parse_period_csv(text, options.zone, *date, context);
  }
  if (format.empty()) {
    return fail(ErrorCode::kUsage,
                "its format cannot be told: give --format period-csv, time-csv, epex-html or a "
                "provider's name");
  }
  PT_ASSIGN(Series series, parse_answer(format, text, context));
  return std::vector<Series>{std::move(series)};
}

}  // namespace

Result<int> run_market_import(const MarketImportOptions& options) {
  const MarketStore store(options.market_dir);
  std::vector<std::pair<std::string, Series>> all;
  // All or nothing: a mistake in the last file leaves the store as it was.
  for (const std::string& path : options.files) {
    auto parsed = parse_file(path, options);
    if (!parsed) {
      return tl::make_unexpected(with_context(parsed.error(), path));
    }
    for (Series& series : *parsed) {
      all.emplace_back(path, std::move(series));
    }
  }
  std::string text;
  for (const auto& [path, series] : all) {
    PT_TRY(store.put(series));
    text += fmt::format("{}: {} of {}, {} slots from {} to {}\n", path,
                        quantity_name(series.info.quantity), series.info.area, series.slots.size(),
                        format_time(series.slots.front().start_s),
                        format_time(series.slots.back().end_s));
  }
  PT_TRY(write_stdout(text));
  return kExitOk;
}

}  // namespace powertrace
