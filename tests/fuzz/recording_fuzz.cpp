// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a recording, and all that is made of one: rows, stacks, every export. CRCs would
// keep the fuzzer out, so the input is also a list of payloads that get whole headers: behind a
// meta chunk that is in order, and behind a recording whose tasks and stacks they can refer to.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <utility>

#include <unistd.h>

#include "model/rollup.hpp"
#include "record/fold.hpp"
#include "record/meta.hpp"
#include "record/reader.hpp"
#include "render/json.hpp"
#include "report/energy_stacks.hpp"
#include "report/export.hpp"
#include "report/functions.hpp"
#include "report/paths.hpp"
#include "report/profile.hpp"
#include "report/rows.hpp"
#include "report/timeline.hpp"
#include "unit/record/recording.hpp"

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

std::string chunks(record::ChunkCodec& codec, std::string_view data) {
  std::string file;
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

void require(bool good) {
  if (!good) {
    std::abort();
  }
}

// To nowhere.
void export_all(const report::Profile& profile, const report::Timeline& timeline) {
  const report::Paths paths = report::path_energies(profile);
  std::size_t bytes = report::folded(paths).size();
  bytes += report::speedscope(paths, "title").size();
  bytes += report::flame_graph(paths, &paths, "title", 1).size();
  bytes += report::pprof(profile).size();
  bytes += report::firefox(profile, timeline, 2).size();
  bytes += report::chrome(profile, timeline, 2).size();
  for (const bool callers : {false, true}) {
    const auto rows = report::function_energies(profile, callers);
    bytes += report::functions_table(profile, rows, 0).size();
    bytes += report::functions_csv(profile, rows).size();
    bytes += report::functions_json(profile, rows).size();
  }
  require(bytes > 0);
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
  report::EnergyStacks stacks(**reader, true);
  report::Timeline timeline;
  std::int64_t energy_nj = 0;
  std::int64_t counted_nj = 0;  // in the total
  for (auto more = (*reader)->next(); more && *more; more = (*reader)->next()) {
    const Attribution& attribution = fold.add();
    stacks.add(attribution);
    timeline.add(**reader, attribution);
    for (std::size_t zone = 0; zone < (*reader)->meta().zones.size(); ++zone) {
      const std::int64_t zone_nj = usable_energy_nj((*reader)->window().zones[zone]);
      energy_nj += zone_nj;
      counted_nj += (*reader)->meta().zones[zone].in_total ? zone_nj : 0;
    }
  }
  stacks.finish();
  if (fold.empty()) {
    return;
  }
  const SnapshotPtr snapshot = fold.take_snapshot();
  const std::vector<Row> rows = roll_up(*snapshot, Level::kProcess);
  for (const Row& row : rows) {
    for (const std::int64_t zone_nj : row.zone_nj) {
      energy_nj -= zone_nj;
    }
  }
  require(energy_nj == 0);
  counted_nj -= stacks.idle_nj() + stacks.unattributed_nj();
  for (const report::StackEnergy& cell : stacks.cells()) {
    counted_nj -= cell.energy_nj;
  }
  require(counted_nj == 0);
  require(!snapshot_json(*snapshot, rows).empty() && !report::rows_csv(*snapshot, rows).empty());
  report::Symbolizer symbolizer;
  export_all(report::make_profile((*reader)->meta(), std::move(stacks), symbolizer), timeline);
}

}  // namespace

// The first byte says what the others are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string whole = test::make_sampled_recording(1, 2, false).bytes;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view rest = bytes.substr(std::min<std::size_t>(1, size));
  record::ChunkCodec codec;
  switch (size > 0 ? data[0] % 4 : 0) {
    case 0:
      read_all(std::string(rest));
      break;
    case 1:
      read_all(record::file_header() + meta_chunk(codec) + chunks(codec, rest));
      break;
    default:
      read_all(whole + chunks(codec, rest));
  }
  return 0;
}
