// SPDX-License-Identifier: Apache-2.0
//
// /metrics: one page per snapshot, format and encoding, made when it is first asked for and then
// handed out as it is. Thread-safe.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serve/gzip.hpp"
#include "serve/published.hpp"
#include "serve/router.hpp"

namespace powertrace {

// What a client's headers ask for.
MetricFormat negotiate_format(std::string_view accept);
bool accepts_gzip(std::string_view accept_encoding);

class MetricsEndpoint {
 public:
  // `stats` is called for each page made.
  MetricsEndpoint(const Board& board, std::function<ServerStats()> stats);

  Response answer(const Request& request);

 private:
  struct Slot {
    std::mutex mutex;
    PublishedPtr made_from;
    std::shared_ptr<const std::string> body;
    std::string text;  // of the last page, if it was packed
    Gzip gzip;
  };
  std::shared_ptr<const std::string> page(const PublishedPtr& from, MetricFormat format, bool gzip);
  ProgramStats program_stats();

  const Board& board_;
  std::function<ServerStats()> stats_;
  std::array<Slot, 4> slots_;  // by format and encoding
  std::mutex stats_mutex_;
  std::uint64_t pages_ = 0;
  double page_seconds_ = 0;
};

}  // namespace powertrace
