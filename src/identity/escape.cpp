// SPDX-License-Identifier: Apache-2.0
#include "identity/escape.hpp"

namespace powertrace {
namespace {

// -1: not a hexadecimal digit.
int digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

std::string unescape_unit(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text.substr(i, 2) == "\\x" && i + 3 < text.size() &&
                        digit(text[i + 2]) >= 0 && digit(text[i + 3]) >= 0;
    plain += escape ? static_cast<char>(digit(text[i + 2]) * 16 + digit(text[i + 3])) : text[i];
    i += escape ? 3 : 0;
  }
  return plain;
}

}  // namespace powertrace
