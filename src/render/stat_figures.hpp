// SPDX-License-Identifier: Apache-2.0
//
// What `powertrace stat` says about a run, as named numbers, and how they spread over several runs.
// Names are the keys of the JSON and the columns of the CSV. Pure.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/stat.hpp"

namespace powertrace {

// nullopt: does not apply, e.g. cycles where nothing counts them, or a ratio to zero.
using StatValue = std::function<std::optional<double>(const StatRun&)>;

struct StatFigure {
  const char* name;
  std::optional<double> (*value)(const StatRun&);
};
std::span<const StatFigure> stat_figures();

struct StatSpread {
  double mean = 0;
  std::optional<double> deviation;  // sample standard deviation; nullopt: one run has none
};

// Over the runs to which the value applies; nullopt: it applies to none.
std::optional<StatSpread> spread(std::span<const StatRun> runs, const StatValue& value);
// The same of a figure, by name.
std::optional<StatSpread> spread(std::span<const StatRun> runs, std::string_view figure);

}  // namespace powertrace
