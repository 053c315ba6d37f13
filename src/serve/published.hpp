// SPDX-License-Identifier: Apache-2.0
//
// What the loop hands to the HTTP threads: one immutable pointer, replaced at every snapshot. Who
// reads never waits for the loop, and the loop never for a reader.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "serve/account_view.hpp"
#include "serve/metrics_page.hpp"

namespace powertrace {

struct Published {
  AccountViewPtr account;
  std::shared_ptr<const PageConfig> page;
  std::uint64_t interval_ns = 0;  // between snapshots
};
using PublishedPtr = std::shared_ptr<const Published>;

class Board {
 public:
  void publish(PublishedPtr next) { current_.store(std::move(next)); }
  [[nodiscard]] PublishedPtr read() const { return current_.load(); }  // null before the first

 private:
  std::atomic<PublishedPtr> current_;
};

}  // namespace powertrace
