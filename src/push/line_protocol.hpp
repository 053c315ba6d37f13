// SPDX-License-Identifier: Apache-2.0
//
// InfluxDB's line protocol. Pure.
#pragma once

#include <string>
#include <string_view>

#include "push/batch.hpp"

namespace powertrace {

// Tags and field keys: ',', '=', blank and backslash are escaped; what would end the line is
// replaced. A tag without a value must be left out.
std::string influx_tag(std::string_view text);

// powertrace_energy,node=...,scope=container,... joules=12.5,watts=1.25,joules_total=... TIME_MS
// joules is that of the interval that ends at the time.
std::string influx_lines(const PushBatch& batch);

}  // namespace powertrace
