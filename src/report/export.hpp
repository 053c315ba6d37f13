// SPDX-License-Identifier: Apache-2.0
//
// A profile in the formats of other tools. Pure.
#pragma once

#include <string>

#include "report/paths.hpp"
#include "report/profile.hpp"

namespace powertrace::report {

// "comm;main;f 123": root first, whole microjoules; they add up to the energy to the microjoule.
std::string folded(const Paths& paths);

std::string speedscope(const Paths& paths, const std::string& title);

// profile.proto, not yet gzipped.
std::string pprof(const Profile& profile);
std::string gzip(const std::string& bytes);

// One HTML file that needs nothing else. With `before`, a differential one: widths are `paths`, a
// frame is red where it used more than before and blue where less.
std::string flame_graph(const Paths& paths,
                        const Paths* before,
                        const std::string& title,
                        double seconds);

}  // namespace powertrace::report
