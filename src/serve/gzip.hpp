// SPDX-License-Identifier: Apache-2.0
//
// Packs pages with gzip. Keeps its memory from page to page: what a page of megabytes costs to
// allocate, to clear and to touch anew is more than what it costs to pack. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct libdeflate_compressor;

namespace powertrace {

class Gzip {
 public:
  // "" if there is no memory.
  std::string pack(std::string_view text);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const noexcept;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
};

}  // namespace powertrace
