// SPDX-License-Identifier: Apache-2.0
//
// Text on a terminal: UTF-8, counted in columns. Widths come from wcwidth(), so they follow
// LC_CTYPE; in the C locale every non-ASCII character counts as one column. Pure otherwise.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace powertrace {

// The character at `at`, which moves behind it. A byte that is not UTF-8 gives U+FFFD.
char32_t next_char(std::string_view text, std::size_t& at);
void append_char(std::string& text, char32_t character);

// 0 for combining marks, 2 for most of CJK, else 1.
std::size_t char_columns(char32_t character);
std::size_t text_columns(std::string_view text);

// At most `columns` columns from the beginning; never half a character.
std::string cut_columns(std::string_view text, std::size_t columns);
// The same from the end.
std::string cut_columns_front(std::string_view text, std::size_t columns);

// What a terminal might obey becomes '?': control characters (C0, DEL and C1) and those that change
// the writing direction; so do bytes that are not UTF-8. Names come from other people's processes.
std::string printable(std::string_view text);

}  // namespace powertrace
