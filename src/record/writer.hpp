// SPDX-License-Identifier: Apache-2.0
//
// Writes a recording: takes windows as they end and writes them in blocks of about one flush
// interval. A block is whole in itself: all that its windows refer to is defined in it or before
// it. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/snapshot.hpp"
#include "model/window.hpp"
#include "record/chunk.hpp"
#include "record/columns.hpp"
#include "record/content.hpp"
#include "record/dictionary.hpp"
#include "record/sink.hpp"
#include "record/stack_dictionary.hpp"

namespace powertrace::record {

class Writer {
 public:
  // The sink must outlive the writer.
  Writer(Meta meta, Names names, Sink& sink);

  Status begin();
  // The next window; its samples follow.
  Status add(const Window& window);
  // Writes what is waiting once it is a flush interval old.
  Status flush_if_due();
  // Stack samples of windows up to the one added last, in the order of time, and slices.
  void add(const Sample& sample);
  void add(const Slice& slice);
  StackDictionary& stacks() { return stacks_; }
  // Ids mean something else once this has changed.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  // What recording cost so far; written with the next block.
  void set_costs(const SelfCost& costs) { costs_ = costs; }
  // Writes what is waiting.
  Status flush();
  // The last block, the index and the footer.
  Status finish();

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // handed to the sink
  [[nodiscard]] std::uint64_t windows() const { return windows_; }
  // The ids of the tasks of the window added last, in its order.
  [[nodiscard]] const std::vector<Id>& ids() const { return ids_; }

 private:
  struct IndexEntry {
    std::uint64_t offset;
    std::uint32_t type;
    std::uint32_t rows;
    std::uint64_t t0;
    std::uint64_t t1;
  };
  void put(ChunkType type, std::uint32_t rows, std::string_view payload);
  Status send();

  Meta meta_;
  Sink& sink_;
  Dictionary dictionary_;
  ChunkCodec codec_;
  // Rows of one kind that wait for the next block.
  struct Rows {
    ByteWriter bytes;
    std::uint32_t count = 0;
  };
  void put(ChunkType type, Rows& rows);

  WindowWriter pending_;
  StackDictionary stacks_;
  Rows samples_;
  Rows slices_;
  Sample sample_before_;
  Slice slice_before_;
  std::vector<Id> ids_;
  SelfCost costs_;
  std::string block_;
  std::vector<IndexEntry> index_;
  std::uint64_t bytes_ = 0;
  std::uint64_t windows_ = 0;
  std::uint32_t epoch_ = 0;
  std::uint64_t t0_ = 0;  // of the pending windows
  std::uint64_t t1_ = 0;
};

}  // namespace powertrace::record
