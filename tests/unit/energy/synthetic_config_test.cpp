// SPDX-License-Identifier: Apache-2.0
#include "energy/synthetic_config.hpp"

#include <limits>
#include <string>

#include <doctest/doctest.h>

namespace powertrace {
namespace {

SyntheticModel model_of(const char* text, CpuVendor vendor = CpuVendor::kAmd, unsigned cpus = 8) {
  const auto config = parse_synthetic(text);
  REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().message));
  return SyntheticModel(*config, vendor, cpus);
}

}  // namespace

TEST_CASE("synthetic config: what people may write") {
  const auto config = parse_synthetic("idle=50,max=180,curve=amd,dram=0.2");
  REQUIRE(config.has_value());
  CHECK(config->idle_w == 50);
  CHECK(config->max_w == 180);
  CHECK(config->dram_share == 0.2);
  CHECK(config->curve == LoadCurve::kAmd);
  CHECK_FALSE(parse_synthetic("")->idle_w.has_value());
  const auto points = parse_synthetic("curve=0:.1:.2:.3:.4:.5:.6:.7:.8:.9:1");
  REQUIRE(points.has_value());
  CHECK(points->points[3] == 0.3);
  CHECK(parse_synthetic("curve=seed,base=40,cpu_factor=2,mem_factor=0,max=300")->base_w == 40);
  CHECK(parse_synthetic("idle=10,max=10").has_value());
}

TEST_CASE("synthetic config: errors name key, value and what is accepted") {
  struct Case {
    const char* text;
    const char* names;
  };
  for (const Case& bad : {
           Case{"idle", "key=value"},
           Case{",", "key=value"},
           Case{"idle=5,", "key=value"},
           Case{"idle=", "idle="},
           Case{"idle=fifty", "idle=fifty"},
           Case{"idle=-1", "idle=-1"},
           Case{"idle=nan", "idle=nan"},
           Case{"max=inf", "max=inf"},
           Case{"max=0", "max=0"},
           Case{"max=1e9", "max=1000000000"},
           Case{"max=10,idle=50", "max=10 is less than idle=50"},
           Case{"idle=5,idle=6", "idle is given twice"},
           Case{"wattage=5", "unknown key \"wattage\""},
           Case{" idle=5", "unknown key"},
           Case{"curve=arm", "11 numbers"},
           Case{"curve=", "11 numbers"},
           Case{"curve=0:1", "11 numbers"},
           Case{"curve=0:.1:.2:.3:.4:.5:.6:.7:.8:.9:1:1", "11 numbers"},
           Case{"curve=0:.1:.2:.3:.4:.5:.6:.7:.8:.9:x", "11 numbers"},
           Case{"curve=0:.1:.2:.3:.4:.5:.4:.7:.8:.9:1", "must not fall"},
           Case{"curve=.1:.1:.2:.3:.4:.5:.6:.7:.8:.9:1", "must not fall"},
           Case{"curve=0:.1:.2:.3:.4:.5:.6:.7:.8:.9:2", "must not fall"},
           Case{"dram=1", "dram=1 is out of range"},
           Case{"curve=seed,idle=5", "idle does not go with curve=seed"},
           Case{"curve=seed,dram=0.1", "dram does not go with curve=seed"},
           Case{"curve=seed,base=600,max=500", "max=500 is less than base=600"},
           Case{"base=50", "base needs curve=seed"},
           Case{"curve=amd,mem_factor=1", "mem_factor needs curve=seed"},
       }) {
    CAPTURE(bad.text);
    const auto parsed = parse_synthetic(bad.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == ErrorCode::kUsage);
    CAPTURE(parsed.error().message);
    CHECK(parsed.error().message.find(bad.names) != std::string::npos);
    CHECK(parsed.error().message.find("synthetic") == 0);
  }
  SyntheticConfig nan;
  nan.idle_w = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(validate(nan).has_value());
}

TEST_CASE("synthetic config: constant load gives the watts of the curve") {
  const SyntheticModel amd = model_of("idle=50,max=150,curve=amd,dram=0");
  CHECK(amd.at(0, 0).total_w() == doctest::Approx(50));
  CHECK(amd.at(0.1, 0).total_w() == doctest::Approx(75.8));
  CHECK(amd.at(0.25, 0).total_w() == doctest::Approx(50 + (33.8 + 41.8) / 2));
  CHECK(amd.at(1, 0).total_w() == doctest::Approx(150));
  CHECK_FALSE(amd.has_dram());
  const SyntheticModel intel = model_of("idle=50,max=150,curve=intel");
  CHECK(intel.at(0.5, 0).total_w() == doctest::Approx(50 + 40.9));
  CHECK(intel.at(0.5, 0).dram_w == doctest::Approx(9.09));
  CHECK(model_of("idle=50,max=150,curve=linear").at(0.33, 0).total_w() == doctest::Approx(83));
  CHECK(model_of("idle=0,max=100,curve=0:0:0:0:0:0:0:0:0:.5:1").at(0.85, 0).total_w() ==
        doctest::Approx(25));
  // The curve follows the vendor when none is named.
  CHECK(model_of("idle=50,max=150", CpuVendor::kIntel).at(0.5, 0).total_w() ==
        doctest::Approx(90.9));
  CHECK(model_of("idle=50,max=150", CpuVendor::kUnknown).at(0.5, 0).total_w() ==
        doctest::Approx(100));
}

TEST_CASE("synthetic config: power is within idle and max and never falls with the load") {
  for (const char* text : {"idle=50,max=180,curve=amd", "idle=1,max=2,curve=intel", "", "max=300",
                           "idle=20", "idle=30,max=30", "curve=0:0:.5:.5:.5:.5:.5:.5:.5:1:1"}) {
    CAPTURE(text);
    const SyntheticModel model = model_of(text);
    const double idle_w = model.at(0, 0).total_w();
    const double max_w = model.at(1, 0).total_w();
    double previous_w = 0;
    for (int i = -5; i <= 1005; ++i) {
      const NodePower power = model.at(i / 1000.0, 3);
      REQUIRE(power.total_w() >= previous_w - 1e-9);
      REQUIRE(power.total_w() >= idle_w - 1e-9);
      REQUIRE(power.total_w() <= max_w + 1e-9);
      REQUIRE(power.active_w >= 0);
      previous_w = power.total_w();
    }
  }
}

TEST_CASE("synthetic config: the seed's formula with its parameters") {
  const SyntheticModel seed = model_of("curve=seed");
  const NodePower power = seed.at(0.4, 16);
  CHECK(power.total_w() == doctest::Approx(50 + 2.5 * 40 + 0.5 * 16));
  CHECK(power.dram_w == doctest::Approx(8));
  CHECK(seed.uses_memory());
  const SyntheticModel cut = model_of("curve=seed,max=100");
  CHECK(cut.at(1, 16).total_w() == doctest::Approx(100));
  CHECK(cut.at(0, 0).total_w() == doctest::Approx(50));
  const SyntheticModel own = model_of("curve=seed,base=10,cpu_factor=1,mem_factor=2");
  CHECK(own.at(0.5, 3).total_w() == doctest::Approx(66));
}

TEST_CASE("synthetic config: the expected error is what the user's knowledge is worth") {
  const auto error_of = [](const char* text, CpuVendor vendor) {
    return model_of(text, vendor).expected_error();
  };
  CHECK(error_of("idle=50,max=180,curve=amd", CpuVendor::kAmd) == 0.06);
  CHECK(error_of("idle=50,max=180", CpuVendor::kIntel) == 0.06);
  CHECK(error_of("idle=50,max=180,curve=amd", CpuVendor::kIntel) == 0.23);
  CHECK(error_of("idle=50,max=180,curve=linear", CpuVendor::kAmd) == 0.12);
  CHECK(error_of("idle=50,max=180", CpuVendor::kUnknown) == 0.12);
  CHECK(error_of("idle=9,max=99,curve=0:.2:.3:.4:.5:.6:.7:.8:.9:.9:1", CpuVendor::kAmd) == 0.03);
  CHECK(error_of("max=180", CpuVendor::kAmd) == 0.20);
  CHECK(error_of("idle=50", CpuVendor::kAmd) == 0.66);
  CHECK(error_of("", CpuVendor::kAmd) == 0.66);
  CHECK(error_of("curve=seed", CpuVendor::kAmd) == 0.66);
}

}  // namespace powertrace
