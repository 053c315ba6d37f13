// SPDX-License-Identifier: Apache-2.0
//
// docs/record-format.md and the code agree.
#include <fstream>
#include <sstream>
#include <utility>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "powertrace/record_format.h"
#include "record/chunk.hpp"
#include "record/columns.hpp"

namespace powertrace {
namespace {

using record::ChunkType;

std::string specification() {
  const std::ifstream in(POWERTRACE_DOCS_DIR "/record-format.md");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool says(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("record format: the specification names every chunk type with its number") {
  const std::string text = specification();
  REQUIRE_FALSE(text.empty());
  constexpr std::array<std::pair<const char*, ChunkType>, 15> kTypes{
      {{"kMeta", ChunkType::kMeta},
       {"kStrings", ChunkType::kStrings},
       {"kCgroups", ChunkType::kCgroups},
       {"kProcesses", ChunkType::kProcesses},
       {"kTasks", ChunkType::kTasks},
       {"kWindows", ChunkType::kWindows},
       {"kExits", ChunkType::kExits},
       {"kCosts", ChunkType::kCosts},
       {"kFiles", ChunkType::kFiles},
       {"kFrames", ChunkType::kFrames},
       {"kStacks", ChunkType::kStacks},
       {"kSamples", ChunkType::kSamples},
       {"kNames", ChunkType::kNames},
       {"kSlices", ChunkType::kSlices},
       {"kIndex", ChunkType::kIndex}}};
  for (const auto& entry : kTypes) {
    const auto number = static_cast<std::uint32_t>(entry.second);
    CAPTURE(entry.first);
    CHECK(says(text, fmt::format("| {} | {} |", entry.first, number)));
  }
}

TEST_CASE("record format: the specification lists the columns in their order") {
  const std::string text = specification();
  std::size_t at = text.find("### Columns");
  std::size_t columns = 0;
  while ((at = text.find("\n| k", at + 1)) != std::string::npos) {
    ++columns;
  }
  CHECK(columns == record::kColumns);
}

TEST_CASE("record format: sizes, marks and versions are as specified") {
  const std::string text = specification();
  CHECK(record::file_header().size() == record::kFileHeaderBytes);
  CHECK(record::encode_header({}).size() == record::kChunkHeaderBytes);
  CHECK(says(text, fmt::format("file header ({} bytes)", record::kFileHeaderBytes)));
  CHECK(says(text, fmt::format("chunk header ({} bytes)", record::kChunkHeaderBytes)));
  CHECK(says(text, fmt::format("footer ({} bytes)", record::kFooterBytes)));
  CHECK(says(text, fmt::format("0x{:X}", record::kChunkMarker)));
  CHECK(says(text, fmt::format("0x{:08X}", record::kByteOrder)));
  CHECK(says(text, fmt::format("at most {}", record::kMaxChunkBytes)));
  CHECK(says(text, fmt::format("Format {}.{}.", record::kMajor, record::kMinor)));
  std::string magic;
  for (const unsigned char byte : record::kMagic) {
    magic += fmt::format("{}{:02X}", magic.empty() ? "" : " ", byte);
  }
  CHECK(says(text, "`" + magic + "`"));
}

}  // namespace powertrace
