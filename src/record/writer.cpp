// SPDX-License-Identifier: Apache-2.0
#include "record/writer.hpp"

#include <algorithm>
#include <utility>

#include "record/bytes.hpp"
#include "record/costs.hpp"
#include "record/meta.hpp"

namespace powertrace::record {
namespace {

// Far below kMaxChunkBytes, whatever the next window brings.
constexpr std::size_t kFullPayload = 4U << 20U;

// A recording that goes on for weeks gets a coarser index.
constexpr std::size_t kMaxIndex = 1U << 18U;

}  // namespace

Writer::Writer(Meta meta, Names names, Sink& sink)
    : meta_(std::move(meta)), sink_(sink), dictionary_(std::move(names)) {}

void Writer::put(ChunkType type, std::uint32_t rows, std::string_view payload) {
  ChunkHeader header;
  header.type = static_cast<std::uint32_t>(type);
  header.flags = epoch_ << kEpochShift;
  header.rows = rows;
  header.t0 = type == ChunkType::kWindows ? t0_ : 0;
  header.t1 = type == ChunkType::kWindows ? t1_ : 0;
  index_.push_back({bytes_ + block_.size(), header.type, rows, header.t0, header.t1});
  if (index_.size() >= kMaxIndex) {
    for (std::size_t i = 0; i < index_.size() / 2; ++i) {
      index_[i] = index_[2 * i];
    }
    index_.resize(index_.size() / 2);
  }
  block_ += codec_.encode(header, payload);
}

void Writer::put(ChunkType type, Rows& rows) {
  if (rows.count > 0) {
    ByteWriter payload;
    payload.number(rows.count);
    payload.append(rows.bytes.bytes());
    put(type, std::exchange(rows.count, 0), payload.bytes());
    rows.bytes.clear();
  }
}

void Writer::add(const Sample& sample) {
  if (samples_.count++ == 0) {
    sample_before_ = {};
  }
  samples_.bytes.difference(sample.time_ns, sample_before_.time_ns);
  samples_.bytes.difference(sample.window, sample_before_.window);
  samples_.bytes.number(sample.task);
  samples_.bytes.number(sample.stack);
  sample_before_ = sample;
}

void Writer::add(const Slice& slice) {
  if (slices_.count++ == 0) {
    slice_before_ = {};
  }
  slices_.bytes.difference(slice.start_ns, slice_before_.start_ns);
  slices_.bytes.number(slice.end_ns - slice.start_ns);
  slices_.bytes.number(slice.cpu);
  slices_.bytes.number(slice.pid);
  slice_before_ = slice;
}

Status Writer::send() {
  bytes_ += block_.size();
  return sink_.write(std::exchange(block_, {}));
}

Status Writer::begin() {
  block_ = file_header();
  put(ChunkType::kMeta, 1, encode_meta(meta_));
  return send();
}

Status Writer::add(const Window& window) {
  if (pending_.windows() == 0) {
    t0_ = window.start_ns;
  }
  t1_ = window.end_ns;
  ids_.clear();
  for (const TaskUse& use : window.tasks) {
    ids_.push_back(dictionary_.task(use));
  }
  pending_.add(window, ids_);
  ++windows_;
  return {};
}

Status Writer::flush_if_due() {
  if (t1_ - t0_ >= meta_.flush_ns || pending_.size() >= kFullPayload ||
      dictionary_.pending_bytes() >= kFullPayload || slices_.bytes.size() >= kFullPayload ||
      samples_.bytes.size() >= kFullPayload) {
    return flush();
  }
  return {};
}

Status Writer::flush() {
  if (pending_.windows() == 0) {
    return {};
  }
  dictionary_.refresh(t1_);
  for (const Definitions& definitions : dictionary_.take()) {
    put(definitions.type, definitions.rows, definitions.payload);
  }
  for (const Definitions& definitions : stacks_.take()) {
    put(definitions.type, definitions.rows, definitions.payload);
  }
  put(ChunkType::kSamples, samples_);
  put(ChunkType::kSlices, slices_);
  put(ChunkType::kCosts, 1, encode_costs(costs_));
  const auto rows = static_cast<std::uint32_t>(pending_.windows());
  put(ChunkType::kWindows, rows, pending_.take());
  if (dictionary_.large() || stacks_.large()) {
    dictionary_.begin_epoch();
    stacks_ = StackDictionary();
    ++epoch_;
  }
  return send();
}

Status Writer::finish() {
  PT_TRY(flush());
  ByteWriter index;
  index.number(index_.size());
  std::uint64_t before = 0;
  for (const IndexEntry& entry : index_) {
    index.number(entry.offset - std::exchange(before, entry.offset));
    index.number(entry.type);
    index.number(entry.rows);
    index.number(entry.t0);
    index.number(entry.t1 - entry.t0);
  }
  const std::uint64_t offset = bytes_;
  put(ChunkType::kIndex, static_cast<std::uint32_t>(index_.size()), index.bytes());
  ByteWriter footer;
  footer.u64(offset);
  footer.append(std::string(kMagic.rbegin(), kMagic.rend()));
  block_ += footer.bytes();
  return send();
}

}  // namespace powertrace::record
