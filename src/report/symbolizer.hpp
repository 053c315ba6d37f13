// SPDX-License-Identifier: Apache-2.0
//
// Names of places in code, by elfutils: symbol tables, DWARF for inlined functions, debug files by
// build id, debuginfod if DEBUGINFOD_URLS says so. What cannot be named is module+offset.
// Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "record/content.hpp"

namespace powertrace::report {

struct Function {
  std::string name;
  std::string module;  // "libc.so.6", "[kernel]"
  std::string file;    // source; empty: not known
  std::uint32_t line = 0;
};

// C++ and Rust as people write them.
std::string demangle(const std::string& name);

class Symbolizer {
 public:
  Symbolizer();
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // The functions at a place, the innermost first: several where some were inlined. Never empty.
  // `name` is what was found while recording, or "".
  std::vector<Function> find(const record::CodeFile& file,
                             std::uint64_t offset,
                             const std::string& name);

  // Files that are not what they were when they ran, a sentence each.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Module;
  Module& module(const record::CodeFile& file);

  std::map<std::pair<std::string, std::string>, std::unique_ptr<Module>> modules_;
  std::vector<std::string> warnings_;
};

}  // namespace powertrace::report
