// SPDX-License-Identifier: Apache-2.0
#include "report/symbolizer.hpp"

#include <cstdio>
#include <fstream>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "record/symbol_table.hpp"
#include "support/temp_dir.hpp"

using namespace powertrace;
using report::Function;
using report::Symbolizer;

namespace {

std::uintptr_t place = 0;

__attribute__((noinline)) void remember_caller() {
  place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) - 1;
  __asm__ volatile("");
}

// Where an address of this program is in its file.
record::CodeFile this_program(std::uintptr_t address, std::uint64_t& offset) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long at = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx", &begin, &end, &at) == 3 && address >= begin &&
        address < end) {
      offset = address - begin + at;
      break;
    }
  }
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  char path[4096] = {};
  CHECK(::readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
  return {record::FileKind::kFile, path, record::read_elf(file.get(), false).build_id, 0};
}

}  // namespace

namespace known {

inline __attribute__((always_inline)) void innermost() {
  remember_caller();
  __asm__ volatile("");
}

inline __attribute__((always_inline)) void between() {
  innermost();
  __asm__ volatile("");
}

__attribute__((noinline)) void outermost() {
  between();
  __asm__ volatile("");
}

}  // namespace known

TEST_CASE("symbolizer: inlined functions, the innermost first") {
  known::outermost();
  std::uint64_t offset = 0;
  const record::CodeFile file = this_program(place, offset);
  Symbolizer symbolizer;
  for (int time = 0; time < 2; ++time) {
    const std::vector<Function> found = symbolizer.find(file, offset, "");
    REQUIRE(found.size() == 3);
    CHECK(found[0].name.find("innermost") != std::string::npos);
    CHECK(found[1].name.find("between") != std::string::npos);
    CHECK(found[2].name == "known::outermost()");
    CHECK(found[2].module == "report_test");
    CHECK(found[2].file.find("symbolizer_test.cpp") != std::string::npos);
    CHECK(found[2].line > 0);
  }
  CHECK(symbolizer.warnings().empty());
}

TEST_CASE("symbolizer: what cannot be named is a place in its module") {
  std::uint64_t offset = 0;
  record::CodeFile file = this_program(place, offset);
  Symbolizer symbolizer;
  CHECK(symbolizer.find(file, 1ULL << 60U, "")[0].name == "report_test+0x1000000000000000");
  CHECK(symbolizer.find(file, offset, "_ZN3foo3barEv")[0].name == "foo::bar()");
  CHECK(symbolizer.warnings().empty());
  file.build_id[0] = static_cast<char>(file.build_id[0] ^ 1);
  CHECK(symbolizer.find(file, offset, "").size() == 1);
  REQUIRE(symbolizer.warnings().size() == 1);
  CHECK(symbolizer.warnings()[0].find("is not the file that was recorded") != std::string::npos);
  const record::CodeFile jit{record::FileKind::kAnonymous, "", "", 7};
  CHECK(symbolizer.find(jit, 0x10, "")[0].name == "[unknown]+0x10");
  CHECK(symbolizer.find(jit, 0x10, "made")[0].module == "[jit]");
}

TEST_CASE("symbolizer: a recording may name a pipe, a directory or a text") {
  const test::TempDir directory;
  const std::string pipe = directory.path() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::ofstream(directory.path() + "/text") << "no program";
  Symbolizer symbolizer;
  for (const std::string& path : {pipe, directory.path(), directory.path() + "/text",
                                  std::string("/dev/zero"), directory.path() + "/none"}) {
    const std::vector<Function> found =
        symbolizer.find({record::FileKind::kFile, path, "", 0}, 16, "");
    REQUIRE(found.size() == 1);
    CHECK(found[0].name.ends_with("+0x10"));
  }
  CHECK(symbolizer.warnings().size() == 5);
}

TEST_CASE("symbolizer: names as people write them") {
  CHECK(report::demangle("main") == "main");
  CHECK(report::demangle("_ZN3foo3barEi") == "foo::bar(int)");
  CHECK(report::demangle("_ZN4core3fmt5write17h0123456789abcdefE") == "core::fmt::write");
  CHECK(report::demangle("_RNvCs1234_7my_part3foo") == "my_part::foo");
  for (const char* odd : {"_R", "_Z", "_R99999999999999999999x", "_ZN", ""}) {
    CHECK(report::demangle(odd) == odd);
  }
}
