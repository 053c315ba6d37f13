// SPDX-License-Identifier: Apache-2.0
#include "report/symbolizer.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sys/stat.h>

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>

#include "base/fd.hpp"
#include "record/symbol_table.hpp"
#include "report/inlined.hpp"

namespace powertrace::report {
namespace {

std::string base_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// A recording may be someone else's: what it names may be a pipe or a device here.
UniqueFd open_regular(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return UniqueFd();
  }
  return file;
}

// Rust's older names end in a hash that says nothing to people.
std::string without_rust_hash(std::string name) {
  constexpr std::size_t kHash = 19;  // "::h" and 16 digits
  if (name.size() > kHash && name.compare(name.size() - kHash, 3, "::h") == 0 &&
      name.find_first_not_of("0123456789abcdef", name.size() - 16) == std::string::npos) {
    name.resize(name.size() - kHash);
  }
  return name;
}

// With its namespace and parameters; "": only its plain name is there.
std::string full_name(Dwarf_Die* die) {
  Dwarf_Attribute attribute;
  const char* linkage = nullptr;
  if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) != nullptr ||
      dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute) != nullptr) {
    linkage = dwarf_formstring(&attribute);
  }
  return linkage != nullptr ? demangle(linkage) : "";
}

std::string plain_name(Dwarf_Die* die) {
  const char* name = dwarf_diename(die);
  return name != nullptr ? demangle(name) : "";
}

const char* source_file(Dwarf_Die* die) {
  if (const char* file = dwarf_decl_file(die)) {
    return file;
  }
  // DWARF 5 counts from 0, the unit's own file, which not every libdw knows.
  Dwarf_Attribute attribute;
  Dwarf_Word number = 0;
  Dwarf_Die unit;
  const bool own = dwarf_attr_integrate(die, DW_AT_decl_file, &attribute) != nullptr &&
                   dwarf_formudata(&attribute, &number) == 0 && number == 0;
  return own && dwarf_diecu(die, &unit, nullptr, nullptr) != nullptr ? dwarf_diename(&unit)
                                                                     : nullptr;
}

// "_R" names of Rust, decoded as far as paths go: crate::module::function.
std::string demangle_rust(const std::string& name) {
  std::string path;
  for (std::size_t at = 2; at < name.size();) {
    if (name[at] == 's') {  // a disambiguator: s...._
      at = std::min(name.find('_', at), name.size() - 1) + 1;
      continue;
    }
    if (std::isdigit(static_cast<unsigned char>(name[at])) == 0) {
      ++at;
      continue;
    }
    std::size_t length = 0;
    while (at < name.size() && std::isdigit(static_cast<unsigned char>(name[at])) != 0 &&
           length < name.size()) {
      length = length * 10 + static_cast<std::size_t>(name[at++] - '0');
    }
    at += at < name.size() && name[at] == '_' ? 1 : 0;
    if (length > name.size() - at) {
      return name;
    }
    path += (path.empty() || length == 0 ? "" : "::") + name.substr(at, length);
    at += length;
  }
  return path.empty() ? name : path;
}

}  // namespace

std::string demangle(const std::string& name) {
  if (name.starts_with("_R")) {
    return demangle_rust(name);
  }
  if (!name.starts_with("_Z")) {
    return name;
  }
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 && plain ? without_rust_hash(plain.get()) : name;
}

struct Symbolizer::Module {
  explicit Module(const record::CodeFile& file);
  void find(std::uint64_t offset, std::vector<Function>& functions);

  // An address in the file's own numbering, where the file maps this offset.
  [[nodiscard]] std::optional<Dwarf_Addr> address(std::uint64_t offset) const;
  // libdwfl looks through all symbols for each address; sorted once, a look-up is quick.
  void load_symbols();

  std::string name;
  std::string problem;
  Dwfl_Callbacks callbacks{};
  std::unique_ptr<Dwfl, decltype(&dwfl_end)> dwfl{nullptr, dwfl_end};
  Dwfl_Module* module = nullptr;
  std::vector<GElf_Phdr> segments;
  Dwarf_Addr bias = 0;
  record::SymbolTable symbols;
  std::optional<InlinedFunctions> inlined;
};

Symbolizer::Module::Module(const record::CodeFile& file) : name(base_name(file.path)) {
  callbacks.find_elf = dwfl_build_id_find_elf;
  callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
  callbacks.section_address = dwfl_offline_section_address;
  if (file.kind != record::FileKind::kFile || !file.path.starts_with('/')) {
    return;
  }
  dwfl.reset(dwfl_begin(&callbacks));
  UniqueFd code = open_regular(file.path);
  if (code.valid()) {
    module = dwfl_report_offline(dwfl.get(), name.c_str(), file.path.c_str(), code.get());
  }
  if (module != nullptr) {
    static_cast<void>(code.release());  // libdwfl's now
  }
  if (module == nullptr || dwfl_report_end(dwfl.get(), nullptr, nullptr) != 0) {
    module = nullptr;
    problem = fmt::format("{} cannot be read: its functions are shown as offsets", file.path);
    return;
  }
  Elf* elf = dwfl_module_getelf(module, &bias);
  const void* bytes = nullptr;
  const ssize_t size = elf != nullptr ? dwelf_elf_gnu_build_id(elf, &bytes) : 0;
  const std::string now(size > 0 ? static_cast<const char*>(bytes) : "",
                        static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (!file.build_id.empty() && now != file.build_id) {
    module = nullptr;
    problem = fmt::format(
        "{} is not the file that was recorded: its functions are shown as offsets", file.path);
    return;
  }
  std::size_t count = 0;
  elf_getphdrnum(elf, &count);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr && segment.p_type == PT_LOAD) {
      segments.push_back(segment);
    }
  }
  load_symbols();
  inlined.emplace(module);
}

void Symbolizer::Module::load_symbols() {
  const int count = dwfl_module_getsymtab(module);
  for (int i = 1; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr start = 0;
    const char* found =
        dwfl_module_getsym_info(module, i, &symbol, &start, nullptr, nullptr, nullptr);
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (found != nullptr && found[0] != '\0' && symbol.st_shndx != SHN_UNDEF &&
        (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE)) {
      symbols.add(start, symbol.st_size, found);
    }
  }
  symbols.sort();
}

std::optional<Dwarf_Addr> Symbolizer::Module::address(std::uint64_t offset) const {
  for (const GElf_Phdr& segment : segments) {
    if (offset >= segment.p_offset && offset - segment.p_offset < segment.p_filesz) {
      return offset - segment.p_offset + segment.p_vaddr + bias;
    }
  }
  return std::nullopt;
}

void Symbolizer::Module::find(std::uint64_t offset, std::vector<Function>& functions) {
  const auto where = module != nullptr ? address(offset) : std::nullopt;
  if (!where) {
    return;
  }
  const std::string symbol = demangle(std::string(symbols.at(*where)));
  std::vector<Dwarf_Die> dies = inlined->at(*where);
  for (Dwarf_Die& die : dies) {
    Function function{full_name(&die), name, "", 0};
    if (function.name.empty()) {
      // The outermost is not inlined: it has a symbol.
      const bool outermost = &die == &dies.back();
      function.name = outermost && !symbol.empty() ? symbol : plain_name(&die);
    }
    if (const char* file = source_file(&die)) {
      int line = 0;
      function.file = file;
      function.line = dwarf_decl_line(&die, &line) == 0 ? static_cast<std::uint32_t>(line) : 0;
    }
    if (!function.name.empty()) {
      functions.push_back(std::move(function));
    }
  }
  if (functions.empty() && !symbol.empty()) {
    functions.push_back({symbol, name, "", 0});
  }
}

Symbolizer::Symbolizer() = default;
Symbolizer::~Symbolizer() = default;

Symbolizer::Module& Symbolizer::module(const record::CodeFile& file) {
  auto& known = modules_[{file.path, file.build_id}];
  if (!known) {
    known = std::make_unique<Module>(file);
    if (!known->problem.empty()) {
      warnings_.push_back(known->problem);
    }
  }
  return *known;
}

std::vector<Function> Symbolizer::find(const record::CodeFile& file,
                                       std::uint64_t offset,
                                       const std::string& name) {
  std::vector<Function> functions;
  if (!name.empty()) {
    functions.push_back({demangle(name),
                         file.kind == record::FileKind::kAnonymous ? "[jit]" : base_name(file.path),
                         "", 0});
    return functions;
  }
  if (file.kind == record::FileKind::kAnonymous) {
    functions.push_back({fmt::format("[unknown]+{:#x}", offset), "[unknown]", "", 0});
    return functions;
  }
  Module& from = module(file);
  from.find(offset, functions);
  if (functions.empty()) {
    functions.push_back({fmt::format("{}+{:#x}", from.name, offset), from.name, "", 0});
  }
  return functions;
}

}  // namespace powertrace::report
