// SPDX-License-Identifier: Apache-2.0
//
// JSON as text, for arrays of millions: a tree of values would take a hundred times their size.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace powertrace::report {

// In quotes; what is not UTF-8 is replaced.
std::string json_string(std::string_view text);

class JsonColumn {
 public:
  void add(std::int64_t value) { append(fmt::format_int(value)); }
  // In units of a million.
  void add_millionths(std::uint64_t value) {
    append(fmt::format_int(value / 1'000'000));
    // A leading 1 keeps the zeros.
    const fmt::format_int digits(1'000'000 + value % 1'000'000);
    text_ += '.';
    text_.append(digits.data() + 1, digits.size() - 1);
  }
  void add_null() { append(std::string_view("null")); }
  void add_string(std::string_view value) { append(json_string(value)); }

  [[nodiscard]] std::size_t size() const { return size_; }
  // As an array.
  [[nodiscard]] std::string text() const { return size_ == 0 ? "[]" : text_ + "]"; }

 private:
  template <typename Text>
  void append(const Text& value) {
    text_ += size_++ == 0 ? '[' : ',';
    text_.append(value.data(), value.size());
  }

  std::string text_;
  std::size_t size_ = 0;
};

}  // namespace powertrace::report
