// SPDX-License-Identifier: Apache-2.0
//
// Output, standard or not, unbuffered by us: a line that was written is out. SIGPIPE is ignored by
// main().
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace powertrace {

// Whether the reader is still there. A closed pipe is no error: `powertrace ... | head` is done.
enum class Written { kYes, kReaderGone };

// To any descriptor; `name` is for the message.
Result<Written> write_all(int fd, std::string_view name, std::string_view text);
Result<Written> write_stdout(std::string_view text);

// Columns of standard output: the terminal's, or enough for a file.
std::size_t output_columns();

// A terminal that NO_COLOR does not forbid.
bool stdout_takes_colour();

}  // namespace powertrace
