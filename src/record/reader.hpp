// SPDX-License-Identifier: Apache-2.0
//
// Reads a recording, one window after the other, in bounded memory. What is damaged is skipped and
// said; what is cut off ends there and is said too. Only what is no recording at all is an error.
// Single-threaded.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/snapshot.hpp"
#include "model/window.hpp"
#include "record/chunk.hpp"
#include "record/columns.hpp"
#include "record/content.hpp"
#include "record/input.hpp"
#include "record/tables.hpp"

namespace powertrace::record {

// How whole the recording is. For people: see warnings().
struct Damage {
  std::uint64_t bytes_skipped = 0;
  std::uint64_t chunks_damaged = 0;
  std::uint64_t chunks_unknown = 0;   // of a later version: skipped, and nothing is wrong
  std::uint64_t windows_missing = 0;  // by their numbers
  std::uint64_t tasks_unknown = 0;    // rows whose definition is lost: their time is unattributed
  bool cut_off = false;               // there is no index at the end
};

class Reader {
 public:
  static Result<std::unique_ptr<Reader>> open(const std::string& path);

  [[nodiscard]] const Meta& meta() const { return meta_; }
  [[nodiscard]] const std::string& name() const { return input_.name(); }

  // The next window. False at the end; an error only if the file cannot be read any more.
  Result<bool> next();
  [[nodiscard]] const Window& window() const { return window_; }
  // The tasks of window(), in its order.
  [[nodiscard]] const std::vector<Id>& ids() const { return ids_; }
  // Stack samples of window(), in the order of time.
  [[nodiscard]] std::span<const Sample> samples() const {
    return std::span(samples_).subspan(samples_begin_, samples_end_ - samples_begin_);
  }
  // Slices that ended in the block of window(); they come with its first window only.
  [[nodiscard]] const std::vector<Slice>& slices() const { return slices_; }
  // What the ids of window() mean; valid until the next call of next().
  [[nodiscard]] const Tables& tables() const { return tables_; }
  // Ids of another epoch meant something else.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  // As of window(), since the recording began.
  [[nodiscard]] const SelfCost& costs() const { return costs_; }

  [[nodiscard]] const Damage& damage() const { return damage_; }
  // What of the recording is missing or was skipped, a sentence each; whole: none.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  explicit Reader(Input input) : input_(std::move(input)), tables_(1) {}

  Status read_meta();
  // The next chunk that is whole, into payload_. False: the end.
  Result<bool> next_chunk(ChunkHeader& header);
  Status find_marker();
  Result<bool> at_footer();
  void take(const ChunkHeader& header);
  bool fill_window();
  bool read_samples();
  bool read_slices();
  void find_samples();

  Input input_;
  ChunkCodec codec_;
  Meta meta_;
  Tables tables_;
  std::string payload_;
  WindowCursor cursor_;
  Window window_;
  std::vector<Id> ids_;
  std::vector<Sample> samples_;  // of the windows that cursor_ gives
  std::size_t samples_begin_ = 0;
  std::size_t samples_end_ = 0;
  std::vector<Slice> slices_;
  bool slices_shown_ = false;
  SelfCost costs_;
  Damage damage_;
  bool ended_ = false;  // the index was read
  std::uint32_t epoch_ = 0;
  bool any_ = false;             // window_ holds the one before
  std::uint64_t energy_nj_ = 0;  // sums of everything, against overflow
  std::uint64_t amounts_ = 0;
};

}  // namespace powertrace::record
