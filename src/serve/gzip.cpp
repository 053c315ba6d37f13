// SPDX-License-Identifier: Apache-2.0
#include "serve/gzip.hpp"

#include <libdeflate.h>

namespace powertrace {
namespace {

// The text is repetitive: higher levels save little and cost much.
constexpr int kLevel = 1;

}  // namespace

void Gzip::Free::operator()(libdeflate_compressor* compressor) const noexcept {
  libdeflate_free_compressor(compressor);
}

std::string Gzip::pack(std::string_view text) {
  if (!compressor_) {
    compressor_.reset(libdeflate_alloc_compressor(kLevel));
    if (!compressor_) {
      return "";
    }
  }
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor_.get(), text.size());
  if (bound > size_) {
    // Not cleared: only what is written to becomes memory, a tenth of the bound.
    buffer_ = std::make_unique_for_overwrite<char[]>(bound + bound / 4);
    size_ = bound + bound / 4;
  }
  const std::size_t packed =
      libdeflate_gzip_compress(compressor_.get(), text.data(), text.size(), buffer_.get(), size_);
  return {buffer_.get(), packed};
}

}  // namespace powertrace
