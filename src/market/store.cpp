// SPDX-License-Identifier: Apache-2.0
#include "market/store.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "base/atomic_file.hpp"
#include "base/log.hpp"
#include "base/sysroot.hpp"
#include "base/units.hpp"
#include "market/json_fields.hpp"
#include "market/local_time.hpp"

namespace powertrace {
namespace {

constexpr const char* kSchema = "powertrace.market/1";
constexpr const char* kValidators = "validators.json";
constexpr std::size_t kMaxValidators = 64;
constexpr std::size_t kMaxFileBytes = std::size_t{32} << 20U;
constexpr std::int64_t kKeepS = 400 * kSecondsPerDay;

// Series of earlier times have gaps between them, which make_series() rightly refuses.
Result<std::vector<Slot>> slots_from(const Json& list) {
  std::vector<Slot> slots;
  for (const Json& entry : list) {
    if (!entry.is_array() || entry.size() != 3 || !entry[0].is_number_integer() ||
        !entry[1].is_number_integer() || !entry[2].is_number()) {
      return fail(ErrorCode::kMalformed, "a slot is not [start, end, value]");
    }
    const Slot slot{entry[0].get<std::int64_t>(), entry[1].get<std::int64_t>(),
                    entry[2].get<double>()};
    if (slot.end_s <= slot.start_s || (!slots.empty() && slot.start_s < slots.back().end_s)) {
      return fail(ErrorCode::kMalformed, "slots overlap or are out of order");
    }
    slots.push_back(slot);
  }
  return slots;
}

std::string safe_name(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    safe += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  }
  return safe;
}

}  // namespace

std::string series_to_json(const Series& series) {
  const SeriesInfo& info = series.info;
  Json slots = Json::array();
  for (const Slot& slot : series.slots) {
    slots.push_back(Json::array({slot.start_s, slot.end_s, slot.value}));
  }
  const Json json = {{"schema", kSchema},
                     {"quantity", quantity_name(info.quantity)},
                     {"unit", unit_of(info)},
                     {"currency", info.currency},
                     {"basis", info.basis == CarbonBasis::kMarginal ? "marginal" : "average"},
                     {"scope", info.scope == CarbonScope::kLifecycle ? "lifecycle" : "direct"},
                     {"area", info.area},
                     {"source", info.source},
                     {"licence", info.licence},
                     {"fetched_at", info.fetched_at_s},
                     {"official", info.official},
                     {"preliminary", info.preliminary},
                     {"slots", std::move(slots)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Series> series_from_json(std::string_view text) {
  constexpr const char* kSource = "market file";
  PT_ASSIGN(const Json json, parse_json(kSource, text));
  PT_ASSIGN(const std::string schema, string_field(kSource, json, "schema"));
  PT_ASSIGN(const std::string quantity, string_field(kSource, json, "quantity"));
  if (schema != kSchema) {
    return fail(ErrorCode::kMalformed, "it is of another version of powertrace");
  }
  Series series;
  SeriesInfo& info = series.info;
  const auto quantities = {Quantity::kPrice, Quantity::kCarbon, Quantity::kVolume};
  const auto* const found =
      std::find_if(quantities.begin(), quantities.end(),
                   [&quantity](Quantity known) { return quantity_name(known) == quantity; });
  if (found == quantities.end()) {
    return fail(ErrorCode::kMalformed, "its quantity \"{}\" is unknown", quantity);
  }
  info.quantity = *found;
  PT_ASSIGN(info.currency, string_field(kSource, json, "currency"));
  PT_ASSIGN(info.area, string_field(kSource, json, "area"));
  PT_ASSIGN(info.source, string_field(kSource, json, "source"));
  PT_ASSIGN(info.licence, string_field(kSource, json, "licence"));
  PT_ASSIGN(info.fetched_at_s, integer_field(kSource, json, "fetched_at"));
  PT_ASSIGN(const std::string basis, string_field(kSource, json, "basis"));
  PT_ASSIGN(const std::string scope, string_field(kSource, json, "scope"));
  info.basis = basis == "marginal" ? CarbonBasis::kMarginal : CarbonBasis::kAverage;
  info.scope = scope == "lifecycle" ? CarbonScope::kLifecycle : CarbonScope::kDirect;
  const Json* official = find_field(json, "official");
  const Json* preliminary = find_field(json, "preliminary");
  info.official = official != nullptr && *official == Json(true);
  info.preliminary = preliminary != nullptr && *preliminary == Json(true);
  PT_ASSIGN(const Json* slots, array_field(kSource, json, "slots"));
  PT_ASSIGN(series.slots, slots_from(*slots));
  return series;
}

std::string MarketStore::path_of(const SeriesInfo& info) const {
  const bool marginal = info.quantity == Quantity::kCarbon && info.basis == CarbonBasis::kMarginal;
  const bool lifecycle =
      info.quantity == Quantity::kCarbon && info.scope == CarbonScope::kLifecycle;
  return fmt::format("{}/{}-{}-{}{}{}{}.series.json", dir_, quantity_name(info.quantity),
                     safe_name(info.source), safe_name(info.area),
                     info.currency.empty() ? "" : "-" + safe_name(info.currency),
                     marginal ? "-marginal" : "", lifecycle ? "-lifecycle" : "");
}

Status MarketStore::put(const Series& series) const {
  PT_TRY(make_dirs(dir_));
  const std::string path = path_of(series.info);
  Series merged = series;
  const auto text = read_file(path, kMaxFileBytes);
  if (text) {
    const auto older = series_from_json(*text);
    if (older) {
      PT_ASSIGN(merged, merge(*older, series));
    } else {
      log_warn("{}: {}; it is replaced", path, older.error().message);
    }
  } else if (text.error().sys_errno != ENOENT) {
    return tl::make_unexpected(text.error());
  }
  const std::int64_t last_s = merged.slots.empty() ? 0 : merged.slots.back().end_s;
  merged.slots.erase(
      merged.slots.begin(),
      std::partition_point(merged.slots.begin(), merged.slots.end(),
                           [last_s](const Slot& slot) { return slot.end_s < last_s - kKeepS; }));
  return write_file_atomic(path, series_to_json(merged));
}

std::vector<Series> MarketStore::load_all() const {
  std::vector<Series> all;
  for (const std::string& name : list_dir(dir_).value_or(std::vector<std::string>{})) {
    if (!name.ends_with(".series.json")) {
      continue;
    }
    const std::string path = dir_ + "/" + name;
    const auto text = read_file(path, kMaxFileBytes);
    auto series = text ? series_from_json(*text) : tl::make_unexpected(text.error());
    if (series) {
      all.push_back(std::move(*series));
    } else {
      log_warn("{}: {}; it is left out", path, series.error().message);
    }
  }
  return all;
}

std::optional<Series> MarketStore::find(Quantity quantity,
                                        const std::string& area,
                                        const std::string& source,
                                        std::int64_t now_s) const {
  std::optional<Series> best;
  const auto rank = [now_s](const Series& series) {
    return std::tuple(series.at(now_s) != nullptr, series.info.official,
                      series.slots.empty() ? 0 : series.slots.back().end_s);
  };
  for (Series& series : load_all()) {
    const bool wanted = series.info.quantity == quantity &&
                        (area.empty() || series.info.area == area) &&
                        (source.empty() || series.info.source == source);
    if (wanted && (!best || rank(series) > rank(*best))) {
      best = std::move(series);
    }
  }
  return best;
}

std::optional<MarketStore::Validator> MarketStore::validator(const std::string& url) const {
  const auto text = read_file(dir_ + "/" + kValidators);
  if (!text) {
    return std::nullopt;
  }
  const Json json = Json::parse(*text, nullptr, false);
  const Json* entry = find_field(json, url.c_str());
  if (entry == nullptr) {
    return std::nullopt;
  }
  return Validator{optional_string(*entry, "etag"), optional_string(*entry, "last_modified")};
}

Status MarketStore::set_validator(const std::string& url, const Validator& validator) const {
  PT_TRY(make_dirs(dir_));
  const std::string path = dir_ + "/" + kValidators;
  Json json = Json::parse(read_file(path).value_or("{}"), nullptr, false);
  if (!json.is_object() || json.size() >= kMaxValidators) {
    json = Json::object();
  }
  json[url] = {{"etag", validator.etag}, {"last_modified", validator.last_modified}};
  return write_file_atomic(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace powertrace
