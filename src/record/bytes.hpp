// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a payload. Numbers are LEB128 varints, signed ones zigzag; texts are a length and
// bytes. Reading never goes past the end: the first problem makes everything after it 0. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace powertrace::record {

class ByteWriter {
 public:
  void u16(std::uint16_t value) { fixed(value, 2); }
  void u32(std::uint32_t value) { fixed(value, 4); }
  void u64(std::uint64_t value) { fixed(value, 8); }
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_ += static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    bytes_ += static_cast<char>(value);
  }
  void difference(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
  }
  // Of two unsigned numbers: wraps both ways.
  void difference(std::uint64_t value, std::uint64_t from) {
    difference(static_cast<std::int64_t>(value - from));
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void append(std::string_view bytes) { bytes_ += bytes; }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }

 private:
  void fixed(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      bytes_ += static_cast<char>(value >> (8U * static_cast<unsigned>(i)));
    }
  }
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }
  std::uint64_t number();
  std::int64_t difference() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
  }
  std::uint64_t difference_from(std::uint64_t from) {
    return from + static_cast<std::uint64_t>(difference());
  }
  // A number that fits; anything greater is a problem.
  std::uint32_t number32();
  std::string_view text();
  // How many items follow, each of at least one byte: what the rest cannot hold is a problem, so
  // that nobody allocates for it.
  std::size_t count();

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::uint64_t fixed(std::size_t bytes);
  std::uint64_t bad() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace powertrace::record
