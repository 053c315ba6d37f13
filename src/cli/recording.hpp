// SPDX-License-Identifier: Apache-2.0
//
// What the commands that read recordings share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "cli/options.hpp"
#include "record/fold.hpp"
#include "record/reader.hpp"

namespace powertrace {

// What of the global options concerns a recording.
record::FoldConfig fold_config(const GlobalOptions& global);

// What is missing or damaged, on stderr.
void warn_about(const record::Reader& reader);

// "host, kernel; command ...", with a newline.
std::string recording_line(const record::Meta& meta);

// --source replay:FILE: a recording in intervals, as fast as it can be read. `on_interval` returns
// false to stop.
Status replay(const GlobalOptions& global,
              std::uint64_t interval_ns,
              const std::function<bool(const SnapshotPtr&)>& on_interval);

}  // namespace powertrace
