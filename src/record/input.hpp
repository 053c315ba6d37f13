// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a recording, from a file or a pipe, read forward only and never more than one chunk
// at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace powertrace::record {

class Input {
 public:
  // "-" is standard input.
  static Result<Input> open(const std::string& path);

  // The next `bytes` bytes, or as many as there are. Valid until the next call.
  Result<std::string_view> peek(std::size_t bytes);
  // Goes on behind the next `bytes` bytes, which were peeked at.
  void skip(std::size_t bytes) {
    at_ += bytes;
    offset_ += bytes;
  }

  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  UniqueFd file_;
  std::string name_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
};

}  // namespace powertrace::record
