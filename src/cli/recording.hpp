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
#include "report/profile.hpp"
#include "report/timeline.hpp"

namespace powertrace {

// What of the global options concerns a recording.
record::FoldConfig fold_config(const GlobalOptions& global);

// What is missing or damaged, on stderr.
void warn_about(const record::Reader& reader);

// "host, kernel; command ...", with a newline.
std::string recording_line(const record::Meta& meta);

// The part of a recording between two ends as typed, as one snapshot. `meta` gets what was
// recorded, unless it is null.
Result<SnapshotPtr> read_snapshot(const GlobalOptions& global,
                                  const std::string& file,
                                  const std::string& from,
                                  const std::string& to,
                                  record::Meta* meta);

// The same by stack; `timeline` and `snapshot` are filled unless they are null.
Result<report::Profile> read_profile(const GlobalOptions& global,
                                     const std::string& file,
                                     const std::string& from,
                                     const std::string& to,
                                     report::Timeline* timeline,
                                     SnapshotPtr* snapshot = nullptr);

// --source replay:FILE: a recording in intervals, as fast as it can be read. `on_interval` returns
// false to stop.
Status replay(const GlobalOptions& global,
              std::uint64_t interval_ns,
              const std::function<bool(const SnapshotPtr&)>& on_interval);

}  // namespace powertrace
