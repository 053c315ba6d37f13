// SPDX-License-Identifier: Apache-2.0
#include "record/mapped_files.hpp"

#include <sys/auxv.h>
#include <sys/stat.h>

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace powertrace::record {
namespace {

constexpr std::size_t kMaxKnown = 4096;

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

UniqueFd open_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

}  // namespace

MappedFile MappedFiles::read(const Place& place) const {
  MappedFile result;
  // What is mapped, even if it was deleted; without the right to that, what has its name now.
  UniqueFd file = open_file(
      root_.proc(fmt::format("{}/map_files/{:x}-{:x}", place.tgid, place.start, place.end)));
  if (!file.valid()) {
    file = open_file(root_.proc(fmt::format("{}/root{}", place.tgid, place.path)));
  }
  if (!file.valid()) {
    return result;
  }
  result.build_id = read_elf(file.get(), false).build_id;
  const UniqueFd here = open_file(place.path);
  const bool found_later =
      here.valid() &&
      (result.build_id.empty() ? same_file(file.get(), here.get())
                               : read_elf(here.get(), false).build_id == result.build_id);
  if (!found_later) {
    result.functions = std::make_shared<const SymbolTable>(read_elf(file.get(), true).functions);
  }
  return result;
}

const MappedFile& MappedFiles::find(const Place& place) {
  const std::string key = place.inode + place.path;
  const auto known = known_.find(key);
  if (known != known_.end()) {
    return known->second;
  }
  if (known_.size() >= kMaxKnown) {
    known_.clear();
  }
  return known_.emplace(key, read(place)).first->second;
}

const MappedFile& MappedFiles::vdso() {
  if (!vdso_) {
    vdso_ = std::make_unique<MappedFile>();
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel passes it as a number
    const auto* image = reinterpret_cast<const char*>(::getauxval(AT_SYSINFO_EHDR));
    if (image != nullptr) {
      // It has one segment, and its sections' table is its end.
      const auto* header = reinterpret_cast<const Elf64_Ehdr*>(image);
      const std::size_t size = header->e_shoff + std::size_t{header->e_shnum} * header->e_shentsize;
      ElfFacts facts = read_elf(std::string_view(image, size));
      vdso_->build_id = std::move(facts.build_id);
      vdso_->functions = std::make_shared<const SymbolTable>(std::move(facts.functions));
    }
  }
  return *vdso_;
}

}  // namespace powertrace::record
