// SPDX-License-Identifier: Apache-2.0
#include "record/bytes.hpp"

#include <limits>

namespace powertrace::record {

std::uint64_t ByteReader::fixed(std::size_t bytes) {
  if (rest_.size() < bytes) {
    return bad();
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
  }
  rest_.remove_prefix(bytes);
  return value;
}

std::uint64_t ByteReader::number() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    if (i == 9 && byte > 1) {
      break;  // more than 64 bits
    }
    value |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return bad();
}

std::uint32_t ByteReader::number32() {
  const std::uint64_t value = number();
  return static_cast<std::uint32_t>(value <= std::numeric_limits<std::uint32_t>::max() ? value
                                                                                       : bad());
}

std::string_view ByteReader::text() {
  const std::uint64_t length = number();
  if (length > rest_.size()) {
    bad();
    return {};
  }
  const std::string_view value = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return value;
}

std::size_t ByteReader::count() {
  const std::uint64_t items = number();
  return items <= rest_.size() ? items : bad();
}

}  // namespace powertrace::record
