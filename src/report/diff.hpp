// SPDX-License-Identifier: Apache-2.0
//
// Two recordings compared, row by row. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/rollup.hpp"
#include "model/snapshot.hpp"

namespace powertrace::report {

// One side of a comparison: rows by what stays the same between two runs.
struct DiffSide {
  double seconds = 1;
  struct Entry {
    std::string name;
    double joules = 0;
    double sigma = 0;  // joules
  };
  std::vector<Entry> entries;
};

// Of processes: by name, because pids differ from run to run.
DiffSide diff_side(const Snapshot& snapshot, const std::vector<Row>& rows);

struct DiffRow {
  std::string name;
  double joules[2] = {0, 0};
  double watts[2] = {0, 0};
  double share[2] = {0, 0};
  double change = 0;         // joules
  double sigma = 0;          // of the change, joules
  bool significant = false;  // more than two standard deviations
};
// By the size of the change.
std::vector<DiffRow> diff_rows(const DiffSide& before, const DiffSide& after);

std::string diff_table(const std::vector<DiffRow>& rows, std::size_t top);
std::string diff_json(const std::vector<DiffRow>& rows);
std::string diff_csv(const std::vector<DiffRow>& rows);

}  // namespace powertrace::report
