// SPDX-License-Identifier: Apache-2.0
//
// A snapshot as plain text, for terminals without a cursor, pipes and files. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "model/rollup.hpp"
#include "model/snapshot.hpp"

namespace powertrace {

// A summary of two or three lines, a header and one line per row, each at most `width` columns (0:
// unlimited). Ends with a newline.
std::string snapshot_table(const Snapshot& snapshot, std::span<const Row> rows, std::size_t width);

}  // namespace powertrace
