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
constexpr std::uint64_t kForgetNs = 10'000'000'000;
constexpr std::uint64_t kLeastWaitNs = 10'000'000;
constexpr std::uint64_t kMostWaitNs = 10'000'000'000;
// Where a program may have code.
constexpr std::uint64_t kLeastAddress = 1U << 16U;
constexpr std::uint64_t kMostAddress = 1ULL << 47U;
constexpr std::size_t kMaxMapsBytes = 16U << 20U;
constexpr std::size_t kMaxKallsyms = 64U << 20U;

struct MapsLine {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  bool code = false;
  std::string inode;  // "08:01 1234"
  std::string path;
};

std::vector<MapsLine> parse_maps(std::string_view text) {
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
                    &inode, &path_at) < 6) {
      continue;
    }
    mapping.code = rights[2] == 'x';
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
  const auto text = read_file(root_.proc(fmt::format("{}/maps", tgid)), kMaxMapsBytes);
  if (!text || text->empty()) {
    return;  // it has ended: what was known before is still the best
  }
  space.mappings.clear();
  for (MapsLine& line : parse_maps(*text)) {
    Mapping mapping{line.start, line.end, line.offset, line.code, {}, nullptr, kNoId};
    if (!line.code) {
      space.mappings.push_back(std::move(mapping));
      continue;
    }
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

// Mappings change: they are read again where an address fits none. Rarely if that never helps,
// because without frame pointers most callers are no addresses at all.
bool CodeMap::may_have_changed(const Space& space,
                               const Mapping* found,
                               std::uint64_t address,
                               bool leaf,
                               std::uint64_t now_ns) {
  const std::uint64_t age_ns = now_ns - std::min(space.read_ns, now_ns);
  if (leaf || space.read_ns == 0) {
    return space.read_ns == 0 || age_ns >= kLeastWaitNs;
  }
  if (found != nullptr) {
    return age_ns >= kMostWaitNs;  // data that became code
  }
  return address >= kLeastAddress && address < kMostAddress && age_ns >= space.wait_ns;
}

CodeMap::Mapping* CodeMap::find(const pt_sample& sample, std::uint64_t address, bool leaf) {
  const std::uint64_t now_ns = sample.head.time;
  if (spaces_.size() >= kMaxSpaces && !spaces_.contains(sample.space)) {
    std::erase_if(spaces_,
                  [&](const auto& space) { return space.second.used_ns + kForgetNs < now_ns; });
  }
  Space& space = spaces_[sample.space];
  space.used_ns = now_ns;
  const auto look = [&]() -> Mapping* {
    const auto at =
        std::upper_bound(space.mappings.begin(), space.mappings.end(), address,
                         [](std::uint64_t value, const Mapping& m) { return value < m.end; });
    return at != space.mappings.end() && at->start <= address ? &*at : nullptr;
  };
  Mapping* found = look();
  if ((found == nullptr || !found->code) && may_have_changed(space, found, address, leaf, now_ns)) {
    read_maps(sample.tgid, space);
    space.read_ns = now_ns;
    found = look();
    const bool helped = found != nullptr && found->code;
    space.wait_ns =
        helped ? kLeastWaitNs : std::clamp(space.wait_ns * 2, 10 * kLeastWaitNs, kMostWaitNs);
  }
  return found != nullptr && found->code ? found : nullptr;
}

Id CodeMap::user_frame(const pt_sample& sample,
                       std::uint64_t address,
                       Mapping* mapping,
                       StackDictionary& dictionary) {
  if (mapping == nullptr) {
    return dictionary.frame(dictionary.file({FileKind::kAnonymous, "", "", sample.tgid}), address,
                            jits_.name(sample.tgid, address, sample.head.time));
  }
  if (mapping->id == kNoId) {
    mapping->id = dictionary.file(mapping->file);
  }
  const std::uint64_t offset = address - mapping->start + mapping->offset;
  const bool anonymous = mapping->file.kind == FileKind::kAnonymous;
  return dictionary.frame(mapping->id, offset,
                          anonymous            ? jits_.name(sample.tgid, address, sample.head.time)
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
    Mapping* mapping = find(sample, address, i == 0);
    if (i > 0 && mapping == nullptr) {
      break;  // no code: whatever is below was built without frame pointers
    }
    frames.push_back(user_frame(sample, address, mapping, dictionary));
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
