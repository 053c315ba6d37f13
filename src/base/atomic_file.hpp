// SPDX-License-Identifier: Apache-2.0
//
// Files that are whole or not there: for state that must survive a crash at any instant.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/result.hpp"

namespace powertrace {

// Writes a temporary file beside `path`, syncs it and renames it over `path`. Readers see the old
// or the new text, also after a crash.
Status write_file_atomic(const std::string& path, std::string_view text, mode_t mode = 0644);

// A directory and its parents, as `mkdir -p`.
Status make_dirs(const std::string& path, mode_t mode = 0755);

}  // namespace powertrace
