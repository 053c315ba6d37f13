// SPDX-License-Identifier: Apache-2.0
#include "cost/classify.hpp"

#include <cmath>
#include <random>

#include <doctest/doctest.h>

using namespace powertrace;

namespace {

void check_type(const Features& features, WorkloadClass expected) {
  const Classification found = classify(features);
  CHECK(workload_class_name(found.type) == workload_class_name(expected));
  CHECK(found.confidence > 0.5);
  CHECK(found.confidence <= 1);
}

}  // namespace

TEST_CASE("typical behaviour gives its class") {
  check_type({.cpu_cores = 0.001}, WorkloadClass::kIdle);
  check_type({.cpu_cores = 3.9, .run_length_ms = 4, .ipc = 2.4, .switches_per_second = 900},
             WorkloadClass::kCpuBound);
  check_type({.cpu_cores = 0.98, .run_length_ms = 4, .ipc = 0.2}, WorkloadClass::kMemoryBound);
  check_type({.cpu_cores = 0.1, .run_length_ms = 0.05, .ipc = 0.9, .switches_per_second = 4000},
             WorkloadClass::kIoBound);
  check_type({.cpu_cores = 0.4, .run_length_ms = 3, .burstiness = 2.5, .periodicity = 0.1},
             WorkloadClass::kBursty);
  check_type({.cpu_cores = 0.4,
              .run_length_ms = 3,
              .burstiness = 1.4,
              .period_seconds = 60,
              .periodicity = 0.9},
             WorkloadClass::kPeriodic);
  check_type({.cpu_cores = 1, .run_length_ms = 2, .burstiness = 0.1, .gpu_share = 0.8},
             WorkloadClass::kTrainingLike);
  check_type({.cpu_cores = 1, .run_length_ms = 2, .burstiness = 1.5, .gpu_share = 0.8},
             WorkloadClass::kServingLike);
  check_type({.cpu_cores = 2,
              .run_length_ms = 0.1,
              .ipc = 1.1,
              .switches_per_second = 20000,
              .burstiness = 0.3},
             WorkloadClass::kServingLike);
}

TEST_CASE("a label that names a class wins; another one is ignored") {
  const Features busy{.cpu_cores = 1, .ipc = 2};
  CHECK(classify(busy, "serving-like").type == WorkloadClass::kServingLike);
  CHECK(classify(busy, "serving-like").from_label);
  CHECK(classify(busy, "'; DROP TABLE").type == WorkloadClass::kCpuBound);
}

TEST_CASE("any finite features have a class and a confidence in range") {
  std::mt19937_64 random(3);
  const auto any = [&] { return std::pow(10.0, static_cast<double>(random() % 12) - 6); };
  for (int i = 0; i < 2000; ++i) {
    Features features{.cpu_cores = any()};
    if (random() % 2 == 0) {
      features.duty_cycle = std::min(1.0, any());
      features.ipc = any();
      features.burstiness = any();
      features.run_length_ms = any();
      features.gpu_share = std::min(1.0, any());
      features.periodicity = std::min(1.0, any());
    }
    const Classification found = classify(features);
    CHECK(found.confidence >= 0.5);
    CHECK(found.confidence <= 1);
    CHECK(classify(features).type == found.type);
  }
}

TEST_CASE("the rhythm of CPU time") {
  std::vector<double> square;
  for (int i = 0; i < 120; ++i) {
    square.push_back(i % 20 < 10 ? 1.0 : 0.0);
  }
  const Rhythm rhythm = find_rhythm(square).value();
  CHECK(rhythm.period_intervals == 20);
  CHECK(rhythm.periodicity > 0.9);
  CHECK(rhythm.burstiness == doctest::Approx(1));
  CHECK(find_rhythm(std::vector<double>(50, 0.7))->burstiness == 0);
  CHECK_FALSE(find_rhythm({1, 2, 3}).has_value());
  std::mt19937 random(1);
  std::vector<double> noise(200);
  for (double& value : noise) {
    value = static_cast<double>(random() % 1000);
  }
  CHECK(find_rhythm(noise)->periodicity < 0.4);
}
