// SPDX-License-Identifier: Apache-2.0
//
// The JSON row model of the contract, "powertrace.snapshot/1": shared by top, report and the REST
// API. Numbers are J, W and s; joules carry nJ, so sums are exact to the printed precision. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/rollup.hpp"
#include "model/snapshot.hpp"

namespace powertrace {

// "process", "idle", ...: `kind` of the row model.
std::string_view row_kind_name(const Row& row);

// One line, without the newline.
std::string snapshot_json(const Snapshot& snapshot, std::span<const Row> rows);

}  // namespace powertrace
