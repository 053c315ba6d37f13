// SPDX-License-Identifier: Apache-2.0
//
// The writer's side of stacks: gives ids to files, frames and stacks and remembers what must be
// defined before the next samples. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "record/bytes.hpp"
#include "record/content.hpp"
#include "record/dictionary.hpp"

namespace powertrace::record {

class StackDictionary {
 public:
  Id file(const CodeFile& file);
  // `name` is written along if it is not empty: it could not be found later.
  Id frame(Id file, std::uint64_t offset, std::string_view name);
  // Leaf first.
  Id stack(std::span<const Id> frames);

  // What was defined since the last call, in the order in which it must be written.
  std::vector<Definitions> take();
  [[nodiscard]] bool large() const;

 private:
  struct Pending {
    ByteWriter rows;
    std::uint32_t count = 0;
    Id next = 0;
  };
  struct FrameHash {
    std::size_t operator()(const std::pair<Id, std::uint64_t>& key) const noexcept {
      return std::hash<std::uint64_t>{}(key.second * 0x9E3779B97F4A7C15ULL + key.first);
    }
  };

  std::map<std::tuple<FileKind, std::string, std::string, std::uint32_t>, Id> file_ids_;
  std::unordered_map<std::pair<Id, std::uint64_t>, Id, FrameHash> frame_ids_;
  std::unordered_set<Id> unnamed_;                 // frames
  std::unordered_map<std::string, Id> stack_ids_;  // by the bytes of its definition
  Pending new_files_, new_frames_, new_stacks_, new_names_;
};

}  // namespace powertrace::record
