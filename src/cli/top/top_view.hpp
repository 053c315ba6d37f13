// SPDX-License-Identifier: Apache-2.0
//
// State -> screen: a pure function, so that what people see can be compared with text in a file.
#pragma once

#include "cli/top/canvas.hpp"
#include "cli/top/history.hpp"
#include "cli/top/top_model.hpp"

namespace powertrace::top {

// Rows of the table that fit on a screen of this size: what TopModel::prepare() wants to know.
std::size_t table_rows(Size size);

// `model` has been prepared. Whatever the size, the source of the figures, and that they are an
// estimate if they are, is on the screen.
Frame render(const TopModel& model, const History& live, const TopSetup& setup, Size size);

}  // namespace powertrace::top
