// SPDX-License-Identifier: Apache-2.0
//
// What was fetched or imported, on disk: one file per kind, area and source, with absolute times,
// so that yesterday's data can never pass for today's. Files are replaced whole; several processes
// may read while one writes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "market/series.hpp"

namespace powertrace {

class MarketStore {
 public:
  explicit MarketStore(std::string dir) : dir_(std::move(dir)) {}

  [[nodiscard]] const std::string& dir() const { return dir_; }

  // Joins it with what is there of the same kind; data older than 400 days goes.
  [[nodiscard]] Status put(const Series& series) const;
  // All that there is; a file that cannot be read is reported and left out. Empty: nothing yet.
  [[nodiscard]] std::vector<Series> load_all() const;
  // The one that says something about `now_s`, else the one that reaches furthest; official before
  // unofficial. Empty strings match everything. nullopt: nothing of this kind.
  [[nodiscard]] std::optional<Series> find(Quantity quantity,
                                           const std::string& area,
                                           const std::string& source,
                                           std::int64_t now_s) const;

  // A service's word for what it sent last (ETag, Last-Modified), by URL without secrets.
  struct Validator {
    std::string etag;
    std::string last_modified;
  };
  [[nodiscard]] std::optional<Validator> validator(const std::string& url) const;
  [[nodiscard]] Status set_validator(const std::string& url, const Validator& validator) const;

 private:
  [[nodiscard]] std::string path_of(const SeriesInfo& info) const;

  std::string dir_;
};

std::string series_to_json(const Series& series);
Result<Series> series_from_json(std::string_view text);

}  // namespace powertrace
