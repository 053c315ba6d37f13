// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a recording. CRCs would keep the fuzzer out, so the input is a list of payloads that
// get whole headers, behind a meta chunk that is in order.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>

#include <unistd.h>

#include "model/rollup.hpp"
#include "record/fold.hpp"
#include "record/meta.hpp"
#include "record/reader.hpp"

namespace {

using namespace powertrace;

std::string meta_chunk(record::ChunkCodec& codec) {
  record::Meta meta;
  meta.sockets = 1;
  Zone zone;
  zone.name = "package-0";
  zone.socket = 0;
  zone.in_total = true;
  meta.zones = {zone};
  meta.idle_mw = {std::nullopt};
  record::ChunkHeader header;
  header.type = static_cast<std::uint32_t>(record::ChunkType::kMeta);
  return codec.encode(header, record::encode_meta(meta));
}

std::string dress(std::string_view data) {
  record::ChunkCodec codec;
  std::string file = record::file_header() + meta_chunk(codec);
  while (data.size() >= 3) {
    const std::size_t length = std::min<std::size_t>(
        static_cast<unsigned char>(data[1]) + 256U * static_cast<unsigned char>(data[2]),
        data.size() - 3);
    record::ChunkHeader header;
    header.type = static_cast<unsigned char>(data[0]) % 16U;
    file += codec.encode(header, data.substr(3, length));
    data.remove_prefix(3 + length);
  }
  return file;
}

void read_all(const std::string& bytes) {
  static const int file = ::memfd_create("recording", MFD_CLOEXEC);
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  auto reader = record::Reader::open("/proc/self/fd/" + std::to_string(file));
  if (!reader) {
    return;
  }
  record::Fold fold(**reader, {});
  std::int64_t energy_nj = 0;
  for (auto more = (*reader)->next(); more && *more; more = (*reader)->next()) {
    fold.add();
    for (std::size_t zone = 0; zone < (*reader)->meta().zones.size(); ++zone) {
      energy_nj += usable_energy_nj((*reader)->window().zones[zone]);
    }
  }
  const SnapshotPtr snapshot = fold.take_snapshot();
  std::int64_t rows_nj = 0;
  for (const Row& row : roll_up(*snapshot, Level::kProcess)) {
    for (const std::int64_t zone_nj : row.zone_nj) {
      rows_nj += zone_nj;
    }
  }
  if (rows_nj != energy_nj) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_all(std::string(bytes));
  read_all(dress(bytes));
  return 0;
}
