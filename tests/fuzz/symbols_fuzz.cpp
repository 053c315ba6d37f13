// SPDX-License-Identifier: Apache-2.0
//
// What names of functions are found in: ELF files, kallsyms, /proc/PID/maps and perf-PID.map, all
// of which belong to others. Any bytes, and changes of a real library with DWARF.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/mman.h>

#include <unistd.h>

#include "record/code_map.hpp"
#include "record/symbol_table.hpp"
#include "report/symbolizer.hpp"

namespace {

using namespace powertrace;

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void read_elf(const std::string& bytes) {
  record::read_elf(bytes);
  static const int file = ::memfd_create("elf", MFD_CLOEXEC);
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  const record::ElfFacts facts = record::read_elf(file, true);
  report::Symbolizer symbolizer;
  const record::CodeFile code{record::FileKind::kFile, "/proc/self/fd/" + std::to_string(file),
                              facts.build_id, 0};
  for (std::uint64_t offset = 0; offset < bytes.size(); offset += 64) {
    facts.functions.at(offset);
    if (symbolizer.find(code, offset, "").empty()) {
      std::abort();
    }
  }
}

// Each four bytes of the input are where and what.
std::string changed_library(std::string_view changes) {
  static const std::string library = [] {
    std::ifstream in(POWERTRACE_FUZZ_LIBRARY, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  std::string bytes = library;
  for (; changes.size() >= 4 && !bytes.empty(); changes.remove_prefix(4)) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      at = at << 8U | static_cast<unsigned char>(changes[i]);
    }
    bytes[at % bytes.size()] = changes[3];
  }
  return bytes;
}

// A /proc of one process, all of whose files say the same.
class FakeProc {
 public:
  FakeProc() {
    std::string name = "/tmp/powertrace-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      std::abort();
    }
    path_ = name;
    std::filesystem::create_directories(path_ + "/7/root/tmp");
  }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;
  ~FakeProc() { std::filesystem::remove_all(path_); }

  void say(std::string_view text) const {
    for (const char* file : {"/kallsyms", "/7/maps", "/7/root/tmp/perf-7.map"}) {
      write_file(path_ + file, text);
    }
  }
  [[nodiscard]] SysRoot root() const { return {"/sys", path_}; }

 private:
  std::string path_;
};

void read_text(std::string_view text) {
  static const FakeProc proc;
  proc.say(text);
  record::CodeMap map(proc.root());
  record::StackDictionary stacks;
  pt_sample sample{};
  sample.tgid = sample.pid = 7;
  sample.space = 1;
  sample.kernel_frames = sample.user_frames = 1;
  for (std::uint64_t address = 0; address < 0x10000; address += 0x1111) {
    sample.head.time += 200'000'000;
    sample.frames[0] = sample.frames[1] = address;
    map.stack(sample, stacks);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_elf(std::string(bytes));
  read_elf(changed_library(bytes));
  read_text(bytes);
  report::demangle(std::string(bytes));
  report::demangle("_R" + std::string(bytes));
  report::demangle("_Z" + std::string(bytes));
  return 0;
}
