// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "model/rollup.hpp"

namespace powertrace {
namespace {

template <typename T>
void check_refused(const Result<T>& result, std::string_view message) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::kUsage);
  CHECK(result.error().message == message);
}

}  // namespace

TEST_CASE("names: what is printed can be typed") {
  for (const Model model : {Model::kTime, Model::kCycles}) {
    CHECK(*parse_model(model_name(model)) == model);
  }
  for (const IdlePolicy policy :
       {IdlePolicy::kSeparate, IdlePolicy::kProportional, IdlePolicy::kEven, IdlePolicy::kNone}) {
    CHECK(*parse_idle_policy(idle_policy_name(policy)) == policy);
  }
  for (const Level level : {Level::kProcess, Level::kThread, Level::kComm, Level::kCgroup,
                            Level::kContainer, Level::kPod}) {
    CHECK(*parse_level(level_name(level)) == level);
  }
  for (const SortKey key : {SortKey::kWatts, SortKey::kJoules, SortKey::kCpu, SortKey::kName}) {
    CHECK(*parse_sort_key(sort_key_name(key)) == key);
  }
  CHECK(*parse_model("cycles") == Model::kCycles);
  CHECK(*parse_idle_policy("even") == IdlePolicy::kEven);
  CHECK(*parse_level("pod") == Level::kPod);
  CHECK(*parse_sort_key("cpu") == SortKey::kCpu);
}

TEST_CASE("names: an unknown one is refused with those there are") {
  check_refused(parse_model("Time"), "\"Time\" is not an attribution model: use time or cycles");
  check_refused(parse_idle_policy(""),
                "\"\" is not an idle policy: use separate, proportional, even or none");
  check_refused(parse_level("user"),
                "\"user\" is not a level: use process, thread, comm, cgroup, container, pod or vm");
  check_refused(parse_sort_key("power"),
                "\"power\" is not a sort key: use watts, joules, cpu or name");
}

TEST_CASE("names: zones speak the kernel's words") {
  CHECK(zone_kind_name(ZoneKind::kPackage) == "package");
  CHECK(zone_kind_name(ZoneKind::kDram) == "dram");
  CHECK(zone_kind_name(ZoneKind::kPlatform) == "platform");
  CHECK(zone_status_name(ZoneStatus::kOk) == "ok");
  CHECK(zone_status_name(ZoneStatus::kGone) == "gone");
}

}  // namespace powertrace
