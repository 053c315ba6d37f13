// SPDX-License-Identifier: Apache-2.0
#include "energy/registry.hpp"

#include <doctest/doctest.h>

#include "support/fake_cpus.hpp"
#include "support/fake_powercap.hpp"

namespace powertrace {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("registry: source lists") {
  CHECK(*parse_source_list("auto") == known_sources());
  CHECK(known_sources().back() == "synthetic");
  CHECK(*parse_source_list("synthetic,powercap") ==
        std::vector<std::string>{"synthetic", "powercap"});
  for (const char* bad : {"", ",", "powercap,", "rapl", "auto,powercap", "Powercap", "powercap "}) {
    CAPTURE(bad);
    const auto parsed = parse_source_list(bad);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == ErrorCode::kUsage);
    CHECK(has(parsed.error().message, "powercap"));
  }
  CHECK(has(parse_source_list("powercap,powercap").error().message, "twice"));
}

TEST_CASE("registry: the first usable source is taken and every one is explained") {
  test::FakePowercap tree;
  const test::FakeCpus cpus({0, 0});
  const SysRoot root{tree.root().sysfs, cpus.root().procfs};
  const std::vector<std::string> names{"powercap", "synthetic"};
  SUBCASE("RAPL is there") {
    tree.add_two_sockets();
    const auto choice = open_source(names, root, {});
    REQUIRE(choice.has_value());
    CHECK(choice->source->info().name == "powercap");
    REQUIRE(choice->findings.size() == 2);
    CHECK(choice->findings[0].usable);
    CHECK(has(choice->findings[0].reason, "package-0"));
    CHECK(choice->findings[1].usable);
    CHECK(has(choice->findings[1].reason, "powercap is preferred"));
  }
  SUBCASE("RAPL is not there") {
    const auto choice = open_source(names, root, {});
    REQUIRE(choice.has_value());
    CHECK(choice->source->info().name == "synthetic");
    CHECK_FALSE(choice->findings[0].usable);
    CHECK(has(choice->findings[0].remedy, "modprobe intel_rapl_msr"));
    CHECK(has(choice->findings[1].reason, "estimate"));
  }
  SUBCASE("the order is the user's") {
    tree.add_two_sockets();
    CHECK(open_source({"synthetic", "powercap"}, root, {})->source->info().name == "synthetic");
  }
}

TEST_CASE("registry: a list without a usable source fails with all reasons") {
  test::FakePowercap tree;
  auto choice = open_source({"powercap", "synthetic"}, tree.root(), {});
  REQUIRE_FALSE(choice.has_value());
  CHECK(choice.error().code == ErrorCode::kUnsupported);
  CHECK(has(choice.error().message, "powercap: "));
  CHECK(has(choice.error().message, "modprobe"));
  CHECK(has(choice.error().message, "synthetic: "));
  CHECK(has(choice.error().message, "--procfs"));

  tree.add("intel-rapl:0", "package-0");
  tree.make_unreadable("intel-rapl:0");
  choice = open_source({"powercap"}, tree.root(), {});
  REQUIRE_FALSE(choice.has_value());
  CHECK(has(choice.error().message, "--source synthetic"));
  CHECK(open_source({"nonsense"}, tree.root(), {}).error().code == ErrorCode::kUsage);
}

TEST_CASE("registry: an impossible synthetic config is an error even if unused") {
  test::FakePowercap tree;
  tree.add_two_sockets();
  const test::FakeCpus cpus({0});
  SyntheticConfig config;
  config.idle_w = -1;
  const auto choice =
      open_source({"powercap", "synthetic"}, {tree.root().sysfs, cpus.root().procfs}, config);
  REQUIRE_FALSE(choice.has_value());
  CHECK(choice.error().code == ErrorCode::kUsage);
}

}  // namespace powertrace
