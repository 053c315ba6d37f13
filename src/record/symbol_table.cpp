// SPDX-License-Identifier: Apache-2.0
#include "record/symbol_table.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <libelf.h>

namespace powertrace::record {
namespace {

bool is_function(const GElf_Sym& symbol) {
  const int type = GELF_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

// Where an address is in the file.
std::optional<std::uint64_t> file_offset(const std::vector<GElf_Phdr>& segments,
                                         std::uint64_t address) {
  for (const GElf_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return address - segment.p_vaddr + segment.p_offset;
    }
  }
  return std::nullopt;
}

std::vector<GElf_Phdr> segments_of(Elf* elf) {
  std::size_t count = 0;
  ::elf_getphdrnum(elf, &count);
  std::vector<GElf_Phdr> segments;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (::gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr) {
      segments.push_back(segment);
    }
  }
  return segments;
}

bool add_functions(Elf* elf, GElf_Word table, SymbolTable& functions) {
  const std::vector<GElf_Phdr> segments = segments_of(elf);
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type != table) {
      continue;
    }
    Elf_Data* data = ::elf_getdata(section, nullptr);
    GElf_Sym symbol;
    for (int i = 1; data != nullptr && ::gelf_getsym(data, i, &symbol) != nullptr; ++i) {
      const char* name =
          is_function(symbol) ? ::elf_strptr(elf, header.sh_link, symbol.st_name) : nullptr;
      const auto offset = file_offset(segments, symbol.st_value);
      if (name != nullptr && name[0] != '\0' && offset) {
        functions.add(*offset, symbol.st_size, name);
      }
    }
  }
  return !functions.empty();
}

ElfFacts read(Elf* from, bool with_functions) {
  const std::unique_ptr<Elf, decltype(&::elf_end)> elf(from, ::elf_end);
  ElfFacts facts;
  if (!elf || ::elf_kind(elf.get()) != ELF_K_ELF) {
    return facts;
  }
  const void* bytes = nullptr;
  const ssize_t size = ::dwelf_elf_gnu_build_id(elf.get(), &bytes);
  if (size > 0) {
    facts.build_id.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  if (with_functions && !add_functions(elf.get(), SHT_SYMTAB, facts.functions)) {
    add_functions(elf.get(), SHT_DYNSYM, facts.functions);
  }
  facts.functions.sort();
  return facts;
}

}  // namespace

void SymbolTable::add(std::uint64_t start, std::uint64_t size, std::string_view name) {
  symbols_.push_back({start, start + size, names_.size(), name.size()});
  names_ += name;
}

void SymbolTable::sort() {
  std::stable_sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    return std::pair(a.start, a.end) < std::pair(b.start, b.end);
  });
}

std::string_view SymbolTable::at(std::uint64_t address) const {
  const auto next = std::upper_bound(
      symbols_.begin(), symbols_.end(), address,
      [](std::uint64_t value, const Symbol& symbol) { return value < symbol.start; });
  if (next == symbols_.begin()) {
    return {};
  }
  const Symbol& symbol = *std::prev(next);
  const bool inside = symbol.start == symbol.end || address < symbol.end;
  return inside ? std::string_view(names_).substr(symbol.name, symbol.length) : std::string_view();
}

ElfFacts read_elf(int file, bool with_functions) {
  ::elf_version(EV_CURRENT);
  return read(::elf_begin(file, ELF_C_READ, nullptr), with_functions);
}

ElfFacts read_elf(std::string_view image) {
  ::elf_version(EV_CURRENT);
  return read(::elf_memory(const_cast<char*>(image.data()), image.size()), true);
}

}  // namespace powertrace::record
