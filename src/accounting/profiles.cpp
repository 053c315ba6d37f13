// SPDX-License-Identifier: Apache-2.0
//
// Workload classes as JSON: of the history's workloads, and of a feature vector from outside.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "accounting/answers.hpp"
#include "accounting/figures.hpp"
#include "accounting/json.hpp"
#include "cost/classify.hpp"

namespace powertrace {
namespace {

struct FeatureField {
  std::string_view name;
  std::optional<double> Features::*value;  // null for cpu_cores
  double most;
  std::string_view about;
};
constexpr std::array<FeatureField, 9> kFields{{
    {"cpu_cores", nullptr, 1e6, "CPU seconds per second"},
    {"duty_cycle", &Features::duty_cycle, 1, "share of the time in which it ran"},
    {"run_length_ms", &Features::run_length_ms, 1e9, "mean time on a CPU between switches"},
    {"ipc", &Features::ipc, 100, "instructions per cycle"},
    {"switches_per_second", &Features::switches_per_second, 1e9, "context switches"},
    {"burstiness", &Features::burstiness, 1e6, "standard deviation / mean of the CPU time"},
    {"period_seconds", &Features::period_seconds, 1e9, "of the strongest rhythm"},
    {"periodicity", &Features::periodicity, 1, "autocorrelation of that rhythm"},
    {"gpu_share", &Features::gpu_share, 1, "GPU energy / energy"},
}};

Json features_json(const Features& features) {
  Json json = Json::object();
  for (const FeatureField& field : kFields) {
    const std::optional<double> value =
        field.value == nullptr ? std::optional(features.cpu_cores) : features.*field.value;
    json[std::string(field.name)] = value ? Json(decimals(*value)) : Json(nullptr);
  }
  return json;
}

Json classification_json(const Classification& found) {
  Json scores = Json::object();
  for (std::size_t i = 0; i < kWorkloadClasses; ++i) {
    scores[std::string(workload_class_name(static_cast<WorkloadClass>(i)))] =
        decimals(found.scores[i]);
  }
  return {{"workload_type", workload_class_name(found.type)},
          {"confidence", decimals(found.confidence)},
          {"from_label", found.from_label},
          {"scores", std::move(scores)}};
}

// What the history knows of a workload, as features.
Features features_of(const Activity& activity, TimeRange range, UtcMs step_ms) {
  const Usage& use = activity.use;
  Features features;
  const auto run_ns = static_cast<double>(use.run_ns);
  features.cpu_cores = run_ns / 1e9 / range.seconds();
  if (use.cycles > 0 && use.instructions > 0) {
    features.ipc = static_cast<double>(use.instructions) / static_cast<double>(use.cycles);
  }
  if (use.switches > 0) {
    features.run_length_ms = run_ns / 1e6 / static_cast<double>(use.switches);
    features.switches_per_second = static_cast<double>(use.switches) / range.seconds();
  }
  if (const auto rhythm = find_rhythm(activity.cores)) {
    features.burstiness = rhythm->burstiness;
    features.periodicity = rhythm->periodicity;
    if (rhythm->period_intervals > 0) {
      features.period_seconds = rhythm->period_intervals * static_cast<double>(step_ms) / 1e3;
    }
  }
  // Within the steps: from the squares that were summed up per interval.
  const double mean = features.cpu_cores;
  if (activity.intervals > 0 && mean > 0) {
    const double variance = std::max(0.0, use.cores_squared / activity.intervals - mean * mean);
    features.burstiness = std::max(features.burstiness.value_or(0), std::sqrt(variance) / mean);
  }
  if (use.total_nj() > 0) {
    features.gpu_share =
        static_cast<double>(use.energy_nj[static_cast<std::size_t>(EnergyKind::kGpu)]) /
        static_cast<double>(use.total_nj());
  }
  return features;
}

Json types_json() {
  Json types = Json::array();
  for (std::size_t i = 0; i < kWorkloadClasses; ++i) {
    const auto type = static_cast<WorkloadClass>(i);
    types.push_back({{"name", workload_class_name(type)}, {"about", workload_class_about(type)}});
  }
  return types;
}

// Adds to `problems`, as many as there are.
void read_feature(const std::string& name,
                  const Json& value,
                  Features& features,
                  std::vector<std::string>& problems) {
  const auto field = std::find_if(kFields.begin(), kFields.end(),
                                  [&](const FeatureField& each) { return each.name == name; });
  if (field == kFields.end()) {
    problems.push_back(fmt::format("\"{}\" is no feature", name.substr(0, 64)));
    return;
  }
  if (value.is_null() && field->value != nullptr) {
    return;
  }
  const double number = value.is_number() ? value.get<double>() : -1;
  if (!value.is_number() || !std::isfinite(number) || number < 0 || number > field->most) {
    problems.push_back(
        fmt::format("{} ({}) must be a number from 0 to {:g}", name, field->about, field->most));
    return;
  }
  if (field->value == nullptr) {
    features.cpu_cores = number;
  } else {
    features.*field->value = number;
  }
}

}  // namespace

Result<std::string> workload_types_json(HistoryStore& store,
                                        TimeRange range,
                                        const WorkloadFilter& filter,
                                        Page page) {
  const UtcMs step = kMinuteMs;
  PT_ASSIGN(std::vector<Activity> activities, store.activity(range, step, filter));
  std::sort(activities.begin(), activities.end(),
            [](const Activity& a, const Activity& b) { return a.use.run_ns > b.use.run_ns; });
  Json profiles = Json::array();
  for (const Activity& activity : activities) {
    if (activity.who.kind != WorkloadKind::kWorkload) {
      continue;
    }
    const UtcMs real_step = activity.cores.empty() ? step
                                                   : (range.end - range.start) /
                                                         static_cast<UtcMs>(activity.cores.size());
    const Features features = features_of(activity, range, real_step);
    Json profile{
        {"id", group_id(group_of(activity.who, Dimension::kWorkload), Dimension::kWorkload)}};
    profile.update(names_json(activity.who));
    profile.update(classification_json(classify(features, activity.who.type_label)));
    profile["features"] = features_json(features);
    profiles.push_back(std::move(profile));
  }
  const std::size_t count = profiles.size();
  const std::size_t first = std::min(page.first, count);
  const std::size_t end = first + std::min(page.count, count - first);
  Json part = Json::array();
  for (std::size_t i = first; i < end; ++i) {
    part.push_back(std::move(profiles[i]));
  }
  return dump(Json{{"start", format_rfc3339(range.start)},
                   {"end", format_rfc3339(range.end)},
                   {"source", store.describe()},
                   {"types", types_json()},
                   {"profiles", std::move(part)},
                   {"count", count},
                   {"next_cursor", end < count ? Json(std::to_string(end)) : Json(nullptr)}});
}

Result<std::string> classify_json(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) {
    return fail(
        ErrorCode::kUsage,
        "the body is no JSON object: send features as in {{\"cpu_cores\":0.9,\"ipc\":1.8}}");
  }
  Features features;
  std::string label;
  std::vector<std::string> problems;
  for (const auto& [name, value] : json.items()) {
    if (name != "workload_type") {
      read_feature(name, value, features, problems);
    } else if (!value.is_string() || !parse_workload_class(value.get<std::string>())) {
      problems.emplace_back("workload_type is the name of no class");
    } else {
      label = value.get<std::string>();
    }
  }
  if (!json.contains("cpu_cores")) {
    problems.emplace_back("cpu_cores (CPU seconds per second) is missing");
  }
  if (!problems.empty()) {
    return fail(ErrorCode::kUsage, "{}", fmt::join(problems, "; "));
  }
  const Classification found = classify(features, label);
  return dump(Json{{"classification", classification_json(found)},
                   {"confidence", decimals(found.confidence)},
                   {"features", features_json(features)}});
}

}  // namespace powertrace
