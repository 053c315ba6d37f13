// SPDX-License-Identifier: Apache-2.0
//
// A recording on disk: the contract with files of other versions. docs/record-format.md is the
// specification in words; a test holds the two together. All numbers are little-endian.
//
//   file   = file header, chunks..., [index chunk, footer]
//   chunk  = chunk header, `stored` bytes of payload
//
// The index and the footer exist only in a recording that was ended properly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace powertrace::record
{

// Detects text-mode mangling, as the one of PNG does.
inline constexpr std::array<unsigned char, 8> kMagic{0x89, 'P', 'T', 'R', '\r', '\n', 0x1A, '\n'};
inline constexpr std::uint16_t kMajor = 1; // a greater one is refused
inline constexpr std::uint16_t kMinor = 0; // new chunk types and columns at the end of a payload
inline constexpr std::uint32_t kByteOrder = 0x01020304;

// File header: magic[8], u16 major, u16 minor, u32 byte order.
inline constexpr std::size_t kFileHeaderBytes = 16;

// Chunk header: u32 marker, type, flags, stored, raw, rows; u64 t0, t1; u32 payload CRC, header
// CRC. The CRCs are CRC-32 (IEEE, as in zlib); the header's covers the bytes before it.
inline constexpr std::size_t kChunkHeaderBytes = 48;
inline constexpr std::uint32_t kChunkMarker = 0x4B435450; // "PTCK"
inline constexpr std::uint32_t kFlagZstd = 1;		  // the payload is one zstd frame
// The rest of the flags is the chunk's epoch: ids of another epoch mean nothing in it.
inline constexpr unsigned kEpochShift = 8;

// No chunk is larger than this, compressed or not: a length field cannot claim more.
inline constexpr std::uint32_t kMaxChunkBytes = 16U << 20U;

enum class ChunkType : std::uint32_t {
	kMeta = 1,	 // what was recorded, where and how; the first chunk
	kStrings = 2,	 // string ids
	kCgroups = 3,	 // cgroup ids
	kProcesses = 4,	 // process ids
	kTasks = 5,	 // task ids
	kWindows = 6,	 // windows and who ran in them
	kExits = 7,	 // processes that ended
	kCosts = 8,	 // what recording cost and lost so far
	kFiles = 9,	 // file ids: what code was mapped from
	kFrames = 10,	 // frame ids: places in files
	kStacks = 11,	 // stack ids: lists of frames
	kSamples = 12,	 // stack samples of the windows that follow
	kNames = 13,	 // names of frames that cannot be found later
	kSlices = 14,	 // scheduling slices of the windows that follow
	kIndex = 0xFFFF, // where the chunks are; the last chunk
};

// Footer: u64 offset of the index chunk, magic[8] backwards.
inline constexpr std::size_t kFooterBytes = 16;

} // namespace powertrace::record
