// SPDX-License-Identifier: Apache-2.0
//
// The result of `powertrace stat`, for people and for programs. All three show the same figures,
// from stat_figures.hpp. Pure.
#pragma once

#include <string>

#include "model/stat.hpp"

namespace powertrace {

// Several lines, with a newline at the end.
std::string stat_table(const StatReport& report);

// "powertrace.stat/1", see docs/stat.md: one line, without the newline.
std::string stat_json(const StatReport& report);

// A header and a line per run; after several runs also their mean and their standard deviation.
// Empty fields do not apply. With a newline at the end.
std::string stat_csv(const StatReport& report);

}  // namespace powertrace
