// SPDX-License-Identifier: Apache-2.0
#include "render/findings.hpp"

#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace powertrace {
namespace {

const Finding kFine{"a.fine", FindingStatus::kOk, "all well", "", ""};
const Finding kHalf{"a.half", FindingStatus::kLimited, "half", "slower\nand later", "wait"};
const Finding kNot{"none", FindingStatus::kMissing, "nothing", "no use", "buy one"};

}  // namespace

TEST_CASE("findings: the worst decides") {
  CHECK(overall_status({}) == FindingStatus::kOk);
  CHECK(overall_status(std::vector{kFine}) == FindingStatus::kOk);
  CHECK(overall_status(std::vector{kHalf, kFine}) == FindingStatus::kLimited);
  CHECK(overall_status(std::vector{kNot, kHalf, kFine}) == FindingStatus::kMissing);
}

TEST_CASE("findings: text is aligned, with reason and remedy below") {
  CHECK(findings_text(std::vector{kFine, kHalf, kNot}, false) ==
        "ok       a.fine  all well\n"
        "limited  a.half  half\n"
        "                 slower\n"
        "                 and later\n"
        "                 -> wait\n"
        "missing  none    nothing\n"
        "                 no use\n"
        "                 -> buy one\n"
        "\n"
        "powertrace cannot work here: 1 missing, 1 limited\n");
  CHECK(findings_text(std::vector{kHalf}, false).find("works here with 1 limit\n") !=
        std::string::npos);
  CHECK(findings_text(std::vector{kFine}, false) ==
        "ok       a.fine  all well\n\npowertrace works here\n");
}

TEST_CASE("findings: colour adds nothing but colour; control characters are defused") {
  std::string coloured = findings_text(std::vector{kFine, kHalf, kNot}, true);
  for (const char* code : {"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"}) {
    for (std::size_t at = coloured.find(code); at != std::string::npos; at = coloured.find(code)) {
      coloured.erase(at, std::strlen(code));
    }
  }
  CHECK(coloured == findings_text(std::vector{kFine, kHalf, kNot}, false));
  const Finding hostile{"x", FindingStatus::kOk, "vendor \x1b[2J", "", ""};
  CHECK(findings_text(std::vector{hostile}, false).find('\x1b') == std::string::npos);
}

TEST_CASE("findings: JSON keeps the contract, whatever the text") {
  const Finding hostile{"x", FindingStatus::kOk, "\xff\xfe \"quoted\"\n", "", ""};
  const auto document = nlohmann::json::parse(findings_json(std::vector{kHalf, hostile}));
  CHECK(document["schema"] == "powertrace.doctor/1");
  CHECK(document["status"] == "limited");
  REQUIRE(document["findings"].size() == 2);
  CHECK(document["findings"][0]["why"] == "slower\nand later");
  CHECK(document["findings"][0]["remedy"] == "wait");
  CHECK(document["findings"][1]["remedy"].is_null());
  CHECK(findings_json(std::vector{hostile}).find('\n') == std::string::npos);
}

}  // namespace powertrace
