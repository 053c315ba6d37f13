// SPDX-License-Identifier: Apache-2.0
//
// Findings as text and as JSON, "powertrace.doctor/1". Pure.
#pragma once

#include <span>
#include <string>

#include "base/finding.hpp"

namespace powertrace {

// The worst of all; none at all is kOk.
FindingStatus overall_status(std::span<const Finding> findings);

// A line per finding, its consequence and remedy below it, and a verdict. Ends with a newline.
std::string findings_text(std::span<const Finding> findings, bool colour);

// One line, without the newline.
std::string findings_json(std::span<const Finding> findings);

}  // namespace powertrace
