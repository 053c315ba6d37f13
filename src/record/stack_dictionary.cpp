// SPDX-License-Identifier: Apache-2.0
#include "record/stack_dictionary.hpp"

#include <utility>

namespace powertrace::record {
namespace {

constexpr std::size_t kLargeStacks = 100'000;

}  // namespace

Id StackDictionary::file(const CodeFile& file) {
  const auto [at, added] = file_ids_.try_emplace(
      std::tuple(file.kind, file.path, file.build_id, file.tgid), new_files_.next);
  if (added) {
    ++new_files_.next;
    ++new_files_.count;
    new_files_.rows.number(static_cast<std::uint64_t>(file.kind));
    new_files_.rows.text(file.path);
    new_files_.rows.text(file.build_id);
    new_files_.rows.number(file.tgid);
  }
  return at->second;
}

Id StackDictionary::frame(Id file, std::uint64_t offset, std::string_view name) {
  const auto [at, added] = frame_ids_.try_emplace(std::pair(file, offset), new_frames_.next);
  if (added) {
    ++new_frames_.next;
    ++new_frames_.count;
    new_frames_.rows.number(file);
    new_frames_.rows.number(offset);
    unnamed_.insert(at->second);
  }
  // A runtime may tell the name only after the code was seen.
  if (!name.empty() && unnamed_.erase(at->second) > 0) {
    ++new_names_.count;
    new_names_.rows.number(at->second);
    new_names_.rows.text(name);
  }
  return at->second;
}

Id StackDictionary::stack(std::span<const Id> frames) {
  ByteWriter row;
  row.number(frames.size());
  for (const Id frame : frames) {
    row.number(frame);
  }
  const auto [at, added] = stack_ids_.try_emplace(row.bytes(), new_stacks_.next);
  if (added) {
    ++new_stacks_.next;
    ++new_stacks_.count;
    new_stacks_.rows.append(row.bytes());
  }
  return at->second;
}

std::vector<Definitions> StackDictionary::take() {
  std::vector<Definitions> result;
  const auto add = [&](ChunkType type, Pending& pending, bool ids) {
    if (pending.count == 0) {
      return;
    }
    ByteWriter payload;
    if (ids) {
      payload.number(pending.next - pending.count);
    }
    payload.number(pending.count);
    payload.append(pending.rows.bytes());
    result.push_back({type, payload.bytes(), std::exchange(pending.count, 0)});
    pending.rows.clear();
  };
  add(ChunkType::kFiles, new_files_, true);
  add(ChunkType::kFrames, new_frames_, true);
  add(ChunkType::kNames, new_names_, false);
  add(ChunkType::kStacks, new_stacks_, true);
  return result;
}

bool StackDictionary::large() const {
  return stack_ids_.size() > kLargeStacks || frame_ids_.size() > kLargeStacks;
}

}  // namespace powertrace::record
