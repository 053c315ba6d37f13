// SPDX-License-Identifier: Apache-2.0
#include "record/chunk.hpp"

#include <algorithm>

#include <zlib.h>
#include <zstd.h>

#include "record/bytes.hpp"

namespace powertrace::record {
namespace {

constexpr int kLevel = 3;

std::string_view magic() {
  return {reinterpret_cast<const char*>(kMagic.data()), kMagic.size()};
}

}  // namespace

struct ChunkCodec::Zstd {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> in{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> out{ZSTD_createDCtx(), ZSTD_freeDCtx};
};

ChunkCodec::ChunkCodec() : zstd_(std::make_unique<Zstd>()) {}
ChunkCodec::~ChunkCodec() = default;

std::uint32_t crc32(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::string file_header() {
  ByteWriter out;
  out.append(magic());
  out.u16(kMajor);
  out.u16(kMinor);
  out.u32(kByteOrder);
  return out.bytes();
}

Status check_file_header(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) {
    return fail(ErrorCode::kMalformed,
                "{} is empty: the recording was cut off before it began; record again", name);
  }
  if (bytes.substr(0, kMagic.size()) != magic().substr(0, bytes.size())) {
    return fail(ErrorCode::kMalformed,
                "{} is not a recording: it does not begin as files of `powertrace record` do",
                name);
  }
  if (bytes.size() < kFileHeaderBytes) {
    return fail(ErrorCode::kMalformed, "{} holds {} bytes: cut off inside the file header", name,
                bytes.size());
  }
  ByteReader in(bytes.substr(kMagic.size()));
  const std::uint16_t major = in.u16();
  const std::uint16_t minor = in.u16();
  if (in.u32() != kByteOrder) {
    return fail(ErrorCode::kMalformed,
                "{} has a damaged header or a foreign byte order: powertrace writes little-endian",
                name);
  }
  if (major > kMajor) {
    return fail(ErrorCode::kUnsupported,
                "{} has format {}.{}; this powertrace reads up to {}.x: use a newer one", name,
                major, minor, kMajor);
  }
  if (major == 0) {
    return fail(ErrorCode::kMalformed, "{} has format 0, which never existed", name);
  }
  return {};
}

std::string encode_header(const ChunkHeader& header) {
  ByteWriter out;
  for (const std::uint32_t field :
       {kChunkMarker, header.type, header.flags, header.stored, header.raw, header.rows}) {
    out.u32(field);
  }
  out.u64(header.t0);
  out.u64(header.t1);
  out.u32(header.payload_crc);
  out.u32(crc32(out.bytes()));
  return out.bytes();
}

std::optional<ChunkHeader> decode_header(std::string_view bytes) {
  bytes = bytes.substr(0, kChunkHeaderBytes);
  ByteReader in(bytes);
  const std::uint32_t marker = in.u32();
  ChunkHeader header;
  for (std::uint32_t* field :
       {&header.type, &header.flags, &header.stored, &header.raw, &header.rows}) {
    *field = in.u32();
  }
  header.t0 = in.u64();
  header.t1 = in.u64();
  header.payload_crc = in.u32();
  const std::uint32_t header_crc = in.u32();
  if (!in.ok() || marker != kChunkMarker ||
      header_crc != crc32(bytes.substr(0, kChunkHeaderBytes - sizeof(std::uint32_t))) ||
      header.stored > kMaxChunkBytes || header.raw > kMaxChunkBytes) {
    return std::nullopt;
  }
  return header;
}

std::string ChunkCodec::encode(ChunkHeader header, std::string_view payload) {
  buffer_.resize(ZSTD_compressBound(payload.size()));
  const std::size_t packed = ZSTD_compressCCtx(zstd_->in.get(), buffer_.data(), buffer_.size(),
                                               payload.data(), payload.size(), kLevel);
  const bool smaller = ZSTD_isError(packed) == 0 && packed < payload.size();
  const std::string_view stored =
      smaller ? std::string_view(buffer_).substr(0, packed) : std::string_view(payload);
  header.flags |= smaller ? kFlagZstd : 0;
  header.stored = static_cast<std::uint32_t>(stored.size());
  header.raw = static_cast<std::uint32_t>(payload.size());
  header.payload_crc = crc32(stored);
  return encode_header(header).append(stored);
}

std::optional<std::string_view> ChunkCodec::decode(const ChunkHeader& header,
                                                   std::string_view stored) {
  if (stored.size() != header.stored || crc32(stored) != header.payload_crc) {
    return std::nullopt;
  }
  if ((header.flags & kFlagZstd) == 0) {
    return stored.size() == header.raw ? std::optional(stored) : std::nullopt;
  }
  buffer_.resize(header.raw);
  const std::size_t size = ZSTD_decompressDCtx(zstd_->out.get(), buffer_.data(), buffer_.size(),
                                               stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != header.raw) {
    return std::nullopt;
  }
  return buffer_;
}

}  // namespace powertrace::record
