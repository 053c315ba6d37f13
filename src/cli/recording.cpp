// SPDX-License-Identifier: Apache-2.0
#include "cli/recording.hpp"

#include <memory>

#include "base/log.hpp"
#include "render/text.hpp"

namespace powertrace {

record::FoldConfig fold_config(const GlobalOptions& global) {
  return {global.pipeline.model, global.idle, global.pipeline.idle_milliwatts};
}

void warn_about(const record::Reader& reader) {
  for (const std::string& warning : reader.warnings()) {
    log_warn("{}", warning);
  }
}

std::string recording_line(const record::Meta& meta) {
  std::string line = printable(fmt::format("recorded on {}, {}", meta.host, meta.kernel));
  if (!meta.command.empty()) {
    line += ": ";
    for (const std::string& word : meta.command) {
      line += (word == meta.command.front() ? "" : " ") + printable(word);
    }
  } else if (!meta.focus.empty()) {
    line += ": " + printable(meta.focus);
  }
  return line + "\n";
}

Status replay(const GlobalOptions& global,
              std::uint64_t interval_ns,
              const std::function<bool(const SnapshotPtr&)>& on_interval) {
  PT_ASSIGN(const std::unique_ptr<record::Reader> reader, record::Reader::open(global.replay));
  const record::FoldConfig config = fold_config(global);
  PT_TRY(record::check_fold(config, reader->meta()));
  record::Fold fold(*reader, config);
  for (;;) {
    PT_ASSIGN(const bool more, reader->next());
    if (more) {
      fold.add();
    }
    const bool due = fold.interval_ns() + reader->meta().window_ns / 2 >= interval_ns;
    if (!fold.empty() && (due || !more) && !on_interval(fold.take_snapshot())) {
      break;
    }
    if (!more) {
      break;
    }
  }
  warn_about(*reader);
  return {};
}

}  // namespace powertrace
