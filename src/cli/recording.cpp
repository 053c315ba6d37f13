// SPDX-License-Identifier: Apache-2.0
#include "cli/recording.hpp"

#include <memory>
#include <utility>

#include "base/log.hpp"
#include "render/text.hpp"
#include "report/range.hpp"

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

namespace {

Status no_window(const record::Reader& reader) {
  return fail(ErrorCode::kMalformed,
              "{} holds no window: it ended, or was cut off, before the first one; record again",
              reader.name());
}

// Calls `on_window` for every window, with whether it is in the range.
Status each_window(record::Reader& reader,
                   const report::Range& range,
                   const std::function<void(bool)>& on_window) {
  bool any = false;
  bool recorded = false;
  for (;;) {
    PT_ASSIGN(const bool more, reader.next());
    if (!more) {
      break;
    }
    recorded = true;
    const bool inside = range.includes(reader.window());
    any = any || inside;
    on_window(inside);
  }
  warn_about(reader);
  if (!recorded) {
    return no_window(reader);
  }
  if (!any) {
    return fail(ErrorCode::kUsage, "no window was recorded in that time: it went on for {:.1f} s",
                static_cast<double>(reader.window().end_ns - reader.meta().start_ns) / 1e9);
  }
  return {};
}

}  // namespace

Result<SnapshotPtr> read_snapshot(const GlobalOptions& global,
                                  const std::string& file,
                                  const std::string& from,
                                  const std::string& to,
                                  record::Meta* meta) {
  PT_ASSIGN(const std::unique_ptr<record::Reader> reader, record::Reader::open(file));
  const record::FoldConfig config = fold_config(global);
  PT_TRY(record::check_fold(config, reader->meta()));
  PT_ASSIGN(const report::Range range, report::parse_range(from, to, reader->meta()));
  record::Fold fold(*reader, config);
  // Idle power is learned from all of the recording.
  PT_TRY(each_window(*reader, range, [&](bool inside) {
    if (inside) {
      fold.add();
    } else {
      fold.attribute_window();
    }
  }));
  if (meta != nullptr) {
    *meta = reader->meta();
  }
  return fold.take_snapshot();
}

Result<report::Profile> read_profile(const GlobalOptions& global,
                                     const std::string& file,
                                     const std::string& from,
                                     const std::string& to,
                                     report::Timeline* timeline,
                                     SnapshotPtr* snapshot) {
  PT_ASSIGN(const std::unique_ptr<record::Reader> reader, record::Reader::open(file));
  const record::FoldConfig config = fold_config(global);
  PT_TRY(record::check_fold(config, reader->meta()));
  PT_ASSIGN(const report::Range range, report::parse_range(from, to, reader->meta()));
  record::Fold fold(*reader, config);
  report::EnergyStacks stacks(*reader, timeline != nullptr);
  PT_TRY(each_window(*reader, range, [&](bool inside) {
    const bool keep = inside && snapshot != nullptr;
    const Attribution& attribution = keep ? fold.add() : fold.attribute_window();
    if (inside) {
      stacks.add(attribution);
      if (timeline != nullptr) {
        timeline->add(*reader, attribution);
      }
    }
  }));
  stacks.finish();
  if (snapshot != nullptr) {
    *snapshot = fold.take_snapshot();
  }
  report::Symbolizer symbolizer;
  report::Profile profile = report::make_profile(reader->meta(), std::move(stacks), symbolizer);
  for (const std::string& warning : symbolizer.warnings()) {
    log_warn("{}", warning);
  }
  for (const std::string& hint : profile.hints) {
    log_warn("{}", hint);
  }
  return profile;
}

Status replay(const GlobalOptions& global,
              std::uint64_t interval_ns,
              const std::function<bool(const SnapshotPtr&)>& on_interval) {
  PT_ASSIGN(const std::unique_ptr<record::Reader> reader, record::Reader::open(global.replay));
  const record::FoldConfig config = fold_config(global);
  PT_TRY(record::check_fold(config, reader->meta()));
  record::Fold fold(*reader, config);
  bool recorded = false;
  for (;;) {
    PT_ASSIGN(const bool more, reader->next());
    if (more) {
      recorded = true;
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
  return recorded ? Status() : no_window(*reader);
}

}  // namespace powertrace
