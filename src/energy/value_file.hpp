// SPDX-License-Identifier: Apache-2.0
//
// A sysfs file that holds one whole number: kept open, read in place, opened again when it has been
// gone. Loop thread only; read() does not allocate.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "model/zone.hpp"

namespace powertrace {

// CLOCK_MONOTONIC in ns; tests bring their own.
using ClockFn = std::uint64_t (*)();

class ValueFile {
 public:
  // A file that must still say the same when the value is opened again: zones and chips are
  // numbered in order of arrival, so one may come back under a neighbour's path.
  struct NameCheck {
    std::string path;
    std::string expected;
  };

  explicit ValueFile(std::string path, std::vector<NameCheck> identity = {})
      : path_(std::move(path)), identity_(std::move(identity)) {}

  // 0 and the value, or an errno. Tries to open it at most once a second.
  int read(std::uint64_t now_ns, std::uint64_t& value);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int open();
  int read_value(std::uint64_t& value) const;

  std::string path_;
  std::vector<NameCheck> identity_;
  UniqueFd fd_;
  bool opened_once_ = false;
  std::uint64_t opened_ns_ = 0;  // the last attempt
  int error_ = 0;                // why there is no file
};

// What a zone whose value cannot be read has to report.
void mark_unreadable(int error, ZoneDelta& delta);

}  // namespace powertrace
