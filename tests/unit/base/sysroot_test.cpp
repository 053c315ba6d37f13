// SPDX-License-Identifier: Apache-2.0
#include "base/sysroot.hpp"

#include <doctest/doctest.h>

#include "support/temp_dir.hpp"

namespace powertrace {

TEST_CASE("sysroot: CPU lists") {
  CHECK(*parse_cpu_list("0-3,7,9-10\n") == std::vector<int>{0, 1, 2, 3, 7, 9, 10});
  CHECK(parse_cpu_list("\n")->empty());
  for (const char* bad : {"a", "3-1", "1-", "-1", "1,,2", "0-99999999", "1;2"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_cpu_list(bad).has_value());
  }
}

TEST_CASE("sysroot: files report what is wrong with which path") {
  const test::TempDir dir;
  dir.write("a/value", "42\n");
  dir.write("a/junk", "4x\n");
  CHECK(*read_u64(dir.path("a/value")) == 42);
  CHECK(*read_trimmed(dir.path("a/junk")) == "4x");
  CHECK(read_u64(dir.path("a/junk")).error().code == ErrorCode::kMalformed);
  const auto missing = read_file(dir.path("a/none"));
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message.find("a/none") != std::string::npos);
  CHECK(*list_dir(dir.path("a")) == std::vector<std::string>{"junk", "value"});
  CHECK(read_file(dir.path("a")).error().sys_errno == EISDIR);
}

}  // namespace powertrace
