// SPDX-License-Identifier: Apache-2.0
//
// Rows of a report. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "model/rollup.hpp"
#include "model/snapshot.hpp"

namespace powertrace::report {

// Keeps the first `count` workload rows and folds the others into the row [others], so that the
// rows still add up. 0: keeps all.
void keep_top(std::vector<Row>& rows, std::size_t count);

// A header and a line per row, with the columns of the JSON row model; one more column per zone.
std::string rows_csv(const Snapshot& snapshot, std::span<const Row> rows);

// A field of a CSV line, quoted where it must be.
std::string csv_field(std::string_view text);

}  // namespace powertrace::report
