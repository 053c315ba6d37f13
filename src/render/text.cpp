// SPDX-License-Identifier: Apache-2.0
#include "render/text.hpp"

#include <array>
#include <cwchar>

namespace powertrace {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// The smallest character that needs this many bytes: anything below was written too long.
constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};

bool is_obeyed(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) ||                // C0, DEL, C1
         (c >= 0x200B && c <= 0x200F) || c == 0x061C ||        // zero width, direction marks
         (c >= 0x2028 && c <= 0x202E) ||                       // line separators, embeddings
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||        // isolates
         (c >= 0xE0000 && c <= 0xE007F) || c == kReplacement;  // tags
}

}  // namespace

char32_t next_char(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at++);
  if (lead < 0x80) {
    return lead;
  }
  std::size_t length = 0;
  char32_t character = 0;
  if (lead >= 0xC2 && lead < 0xE0) {
    length = 2;
    character = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
    character = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    length = 4;
    character = lead & 0x07U;
  } else {
    return kReplacement;
  }
  if (at + length - 1 > text.size()) {
    return kReplacement;
  }
  for (std::size_t i = 0; i + 1 < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      return kReplacement;
    }
    character = (character << 6U) | (byte(at + i) & 0x3FU);
  }
  if (character < kSmallest[length] || character > 0x10FFFF ||
      (character >= 0xD800 && character < 0xE000)) {
    return kReplacement;
  }
  at += length - 1;
  return character;
}

void append_char(std::string& text, char32_t c) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0U | (c >> 6U));
    add(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    add(0xE0U | (c >> 12U));
    add(0x80U | ((c >> 6U) & 0x3FU));
    add(0x80U | (c & 0x3FU));
  } else {
    add(0xF0U | (c >> 18U));
    add(0x80U | ((c >> 12U) & 0x3FU));
    add(0x80U | ((c >> 6U) & 0x3FU));
    add(0x80U | (c & 0x3FU));
  }
}

std::size_t char_columns(char32_t character) {
  if (character < 0x80) {
    return 1;
  }
  const int width = ::wcwidth(static_cast<wchar_t>(character));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::size_t text_columns(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    columns += char_columns(next_char(text, at));
  }
  return columns;
}

std::string cut_columns(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t next = at;
    used += char_columns(next_char(text, next));
    if (used > columns) {
      break;
    }
    at = next;
  }
  return std::string(text.substr(0, at));
}

std::string cut_columns_front(std::string_view text, std::size_t columns) {
  std::size_t left = text_columns(text);
  std::size_t at = 0;
  while (left > columns) {
    left -= char_columns(next_char(text, at));
  }
  return std::string(text.substr(at));
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (is_obeyed(next_char(text, at))) {
      out += '?';
    } else {
      out += text.substr(begin, at - begin);
    }
  }
  return out;
}

}  // namespace powertrace
