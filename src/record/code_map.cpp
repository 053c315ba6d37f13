// SPDX-License-Identifier: Apache-2.0
#include "record/code_map.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

#include <fmt/format.h>

namespace powertrace::record {
namespace {

constexpr std::size_t kMaxSpaces = 4096;
constexpr std::size_t kMaxMapsBytes = 16U << 20U;
constexpr std::size_t kMaxKallsyms = 64U << 20U;

struct MapsLine {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::string inode;  // "08:01 1234"
  std::string path;
};

// Only executable ones.
std::vector<MapsLine> executable_mappings(std::string_view text) {
  std::vector<MapsLine> result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    MapsLine mapping;
    std::array<char, 5> rights{};
    std::array<char, 24> device{};
    std::uint64_t inode = 0;
    int path_at = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %23s %" SCNu64 " %n",
                    &mapping.start, &mapping.end, rights.data(), &mapping.offset, device.data(),
                    &inode, &path_at) < 6 ||
        rights[2] != 'x') {
      continue;
    }
    mapping.inode = fmt::format("{} {}", device.data(), inode);
    mapping.path = path_at > 0 ? line.substr(static_cast<std::size_t>(path_at)) : "";
    result.push_back(std::move(mapping));
  }
  return result;
}

}  // namespace

KernelSymbols::KernelSymbols(const SysRoot& root) {
  const std::string text = read_file(root.proc("kallsyms"), kMaxKallsyms).value_or("");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    std::uint64_t address = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    const auto at = static_cast<std::size_t>(rest - line.data());
    if (error != std::errc() || address == 0 || at + 3 >= line.size()) {
      continue;
    }
    const char kind = line[at + 1];
    if (kind == 't' || kind == 'T' || kind == 'w' || kind == 'W') {
      const std::string_view name = line.substr(at + 3);
      by_address_.try_emplace(address, name.substr(0, name.find_first_of("\t ")));
    }
  }
}

std::string_view KernelSymbols::name(std::uint64_t address) const {
  const auto next = by_address_.upper_bound(address);
  return next == by_address_.begin() ? "" : std::string_view(std::prev(next)->second);
}

void CodeMap::read_maps(std::uint32_t tgid, Space& space) {
  space.read_at = now_;
  const auto text = read_file(root_.proc(fmt::format("{}/maps", tgid)), kMaxMapsBytes);
  if (!text || text->empty()) {
    return;  // it has ended: what was known before is still the best
  }
  space.mappings.clear();
  for (MapsLine& line : executable_mappings(*text)) {
    Mapping mapping{line.start, line.end, line.offset, {}, nullptr, kNoId};
    const bool file = line.path.starts_with('/') && !line.path.starts_with("//anon") &&
                      !line.path.starts_with("/memfd:");
    if (file || line.path == "[vdso]") {
      const MappedFile& mapped =
          file ? files_.find({tgid, line.start, line.end, line.path, line.inode}) : files_.vdso();
      mapping.file = {FileKind::kFile, line.path, mapped.build_id, 0};
      mapping.functions = mapped.functions;
    } else if (line.path.starts_with('[')) {
      mapping.file = {FileKind::kFile, line.path, "", 0};  // [vsyscall]
      mapping.offset = 0;
    } else {
      mapping.file = {FileKind::kAnonymous, line.path, "", tgid};
      mapping.offset = line.start;
    }
    space.mappings.push_back(std::move(mapping));
  }
}

CodeMap::Mapping* CodeMap::find(const pt_sample& sample, std::uint64_t address) {
  if (spaces_.size() >= kMaxSpaces && !spaces_.contains(sample.space)) {
    std::erase_if(spaces_, [&](const auto& space) { return space.second.used_at + 100 < now_; });
  }
  Space& space = spaces_[sample.space];
  space.used_at = now_;
  for (;;) {
    const auto at =
        std::upper_bound(space.mappings.begin(), space.mappings.end(), address,
                         [](std::uint64_t value, const Mapping& m) { return value < m.end; });
    if (at != space.mappings.end() && at->start <= address) {
      return &*at;
    }
    if (space.read_at == now_) {
      return nullptr;
    }
    read_maps(sample.tgid, space);
  }
}

Id CodeMap::user_frame(const pt_sample& sample,
                       std::uint64_t address,
                       StackDictionary& dictionary) {
  Mapping* mapping = find(sample, address);
  if (mapping == nullptr) {
    return dictionary.frame(dictionary.file({FileKind::kAnonymous, "", "", sample.tgid}), address,
                            jits_.name(sample.tgid, address, now_));
  }
  if (mapping->id == kNoId) {
    mapping->id = dictionary.file(mapping->file);
  }
  const std::uint64_t offset = address - mapping->start + mapping->offset;
  const bool anonymous = mapping->file.kind == FileKind::kAnonymous;
  return dictionary.frame(mapping->id, offset,
                          anonymous            ? jits_.name(sample.tgid, address, now_)
                          : mapping->functions ? mapping->functions->at(offset)
                                               : "");
}

Id CodeMap::kernel_frame(std::uint64_t address, StackDictionary& dictionary) {
  return dictionary.frame(dictionary.file({FileKind::kKernel, "[kernel]", "", 0}), address,
                          kernel_.name(address));
}

Id CodeMap::stack(const pt_sample& sample, StackDictionary& dictionary) {
  // Where a call returns to may be behind the function that called: one byte back is inside.
  std::vector<Id> frames;
  const std::uint32_t kernel = std::min<std::uint32_t>(sample.kernel_frames, PT_MAX_FRAMES);
  for (std::uint32_t i = 0; i < kernel; ++i) {
    frames.push_back(kernel_frame(sample.frames[i] - (i > 0 ? 1 : 0), dictionary));
  }
  const __u64* const user = sample.frames + kernel;
  const std::uint32_t count = std::min<std::uint32_t>(sample.user_frames, PT_MAX_FRAMES);
  for (std::uint32_t i = 0; i < count && user[i] > 1; ++i) {
    const std::uint64_t address = user[i] - (i > 0 ? 1 : 0);
    if (i > 0 && find(sample, address) == nullptr) {
      break;  // no code: whatever is below was built without frame pointers
    }
    frames.push_back(user_frame(sample, address, dictionary));
  }
  return dictionary.stack(frames);
}

void CodeMap::forget_ids() {
  for (auto& [key, space] : spaces_) {
    for (Mapping& mapping : space.mappings) {
      mapping.id = kNoId;
    }
  }
}

}  // namespace powertrace::record
