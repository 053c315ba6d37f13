// SPDX-License-Identifier: Apache-2.0
//
// Chunks: the unit that is compressed, checked and, if damaged, skipped. Pure but for the buffers
// of zstd.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "powertrace/record_format.h"

namespace powertrace::record {

struct ChunkHeader {
  std::uint32_t type = 0;  // ChunkType, or one of a later version
  std::uint32_t flags = 0;
  std::uint32_t stored = 0;  // bytes that follow
  std::uint32_t raw = 0;     // bytes once decompressed
  std::uint32_t rows = 0;
  std::uint64_t t0 = 0;  // CLOCK_MONOTONIC ns that the rows span; 0 where they have no time
  std::uint64_t t1 = 0;
  std::uint32_t payload_crc = 0;

  [[nodiscard]] std::uint32_t epoch() const { return flags >> kEpochShift; }
};

std::uint32_t crc32(std::string_view bytes);

std::string file_header();
// Refuses what is no recording or one that this version cannot read. `name` is for the message.
Status check_file_header(std::string_view bytes, const std::string& name);

std::string encode_header(const ChunkHeader& header);
// nullopt: no header, damaged, or a length that no chunk can have.
std::optional<ChunkHeader> decode_header(std::string_view bytes);

class ChunkCodec {
 public:
  ChunkCodec();
  ~ChunkCodec();
  ChunkCodec(const ChunkCodec&) = delete;
  ChunkCodec& operator=(const ChunkCodec&) = delete;

  // Header and payload; the payload compressed if that makes it smaller. `header` gets its type,
  // epoch, rows and times from the caller and the rest here. `payload` is at most kMaxChunkBytes.
  std::string encode(ChunkHeader header, std::string_view payload);

  // Refers to `stored` or to a buffer of the codec. nullopt: damaged.
  std::optional<std::string_view> decode(const ChunkHeader& header, std::string_view stored);

 private:
  struct Zstd;
  std::unique_ptr<Zstd> zstd_;
  std::string buffer_;
};

}  // namespace powertrace::record
