// SPDX-License-Identifier: Apache-2.0
#include "record/symbol_table.hpp"

#include <fstream>
#include <iterator>
#include <limits>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "base/fd.hpp"

using namespace powertrace;
using record::SymbolTable;

TEST_CASE("symbol table: an address has the function it is in") {
  SymbolTable table;
  CHECK(table.empty());
  CHECK(table.at(0).empty());
  table.add(300, 0, "assembly");
  table.add(100, 50, "first");
  table.add(150, 10, "second");
  table.add(400, 8, "last");
  table.sort();
  CHECK(table.at(99).empty());
  CHECK(table.at(100) == "first");
  CHECK(table.at(149) == "first");
  CHECK(table.at(150) == "second");
  CHECK(table.at(160).empty());  // a gap
  CHECK(table.at(300) == "assembly");
  CHECK(table.at(399) == "assembly");  // up to the next one
  CHECK(table.at(407) == "last");
  CHECK(table.at(408).empty());
}

TEST_CASE("symbol table: sizes that cannot be are no reason to crash") {
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  SymbolTable table;
  table.add(100, kHuge, "wraps");
  table.add(kHuge, 1, "at the end");
  table.sort();
  CHECK(table.at(50).empty());
  CHECK(table.at(100).empty());
  CHECK(table.at(kHuge).empty());
}

TEST_CASE("symbol table: of an ELF file, by file and from memory") {
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  REQUIRE(file.valid());
  const record::ElfFacts facts = record::read_elf(file.get(), true);
  CHECK(facts.build_id.size() == 20);
  CHECK_FALSE(facts.functions.empty());
  CHECK(record::read_elf(file.get(), false).functions.empty());
  std::ifstream in("/proc/self/exe", std::ios::binary);
  const std::string image(std::istreambuf_iterator<char>(in), {});
  CHECK(record::read_elf(image).build_id == facts.build_id);
  // Cut anywhere, it says less, and nothing else happens.
  for (const std::size_t part : {0U, 1U, 40U, 64U, 100U, 500U}) {
    CHECK(record::read_elf(std::string_view(image).substr(0, part)).functions.empty());
  }
  CHECK(record::read_elf(std::string_view(image).substr(0, image.size() / 2)).build_id.size() <=
        20);
  CHECK(record::read_elf("no ELF file").build_id.empty());
}
