// SPDX-License-Identifier: Apache-2.0
#include "cli/cap/market_input.hpp"

#include <sys/stat.h>

namespace powertrace {

std::int64_t MarketInput::stamp() const {
  // Files are replaced by renaming, which touches the directory.
  struct stat status {};
  if (::stat(store_.dir().c_str(), &status) != 0) {
    return 0;
  }
  constexpr std::int64_t kNsPerS = 1'000'000'000;
  return status.st_mtim.tv_sec * kNsPerS + status.st_mtim.tv_nsec;
}

const Series* MarketInput::get(std::int64_t now_s) {
  if (tariff_) {
    if (!series_ || series_->at(now_s) == nullptr) {
      const Date today = local_time(zone_, now_s).date;
      auto made = tariff_series(*tariff_, zone_, day_start(zone_, today),
                                day_start(zone_, add_days(today, 2)));
      series_ = made ? std::optional(std::move(*made)) : std::nullopt;
    }
    return series_ ? &*series_ : nullptr;
  }
  const std::int64_t now_stamp = stamp();
  // Another series may know about this instant when ours does not.
  const bool silent = !series_ || series_->at(now_s) == nullptr;
  if (stamp_ != now_stamp || (silent && now_s % 60 == 0)) {
    series_ = store_.find(quantity_, area_, provider_, now_s);
    stamp_ = now_stamp;
  }
  return series_ ? &*series_ : nullptr;
}

}  // namespace powertrace
