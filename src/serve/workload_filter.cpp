// SPDX-License-Identifier: Apache-2.0
#include "serve/workload_filter.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/choice.hpp"
#include "serve/labels.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<FilterField>, 3> kFields{{{"namespace", FilterField::kNamespace},
                                                      {"cgroup", FilterField::kCgroup},
                                                      {"comm", FilterField::kComm}}};

// nullopt: a workload of this level has no such thing.
std::optional<std::string_view> field_value(FilterField field,
                                            AccountLevel level,
                                            const WorkloadIdentity& who) {
  switch (field) {
    case FilterField::kNamespace:
      if (who.cgroup && who.cgroup->container && !who.cgroup->container->pod_uid.empty()) {
        const PodIdentity* pod = pod_of(who);
        return pod != nullptr ? std::string_view(pod->name_space) : "";
      }
      return std::nullopt;
    case FilterField::kCgroup:
      // A pod and a machine may span several.
      if (who.cgroup && level != AccountLevel::kPod && level != AccountLevel::kVm) {
        return who.cgroup->path;
      }
      return std::nullopt;
    case FilterField::kComm:
      if (who.process && level == AccountLevel::kProcess) {
        return who.process->comm;
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<FilterRule> parse_filter_rule(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals + 1 == text.size()) {
    return fail(ErrorCode::kUsage,
                "\"{}\" is not FIELD=PATTERN, such as namespace=kube-* or comm=nginx", text);
  }
  PT_ASSIGN(const FilterField field,
            parse_choice("a field to filter by", text.substr(0, equals), kFields));
  return FilterRule{field, std::string(text.substr(equals + 1))};
}

bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last one, and where its text begins
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool SeriesFilter::passes(AccountLevel level, const WorkloadIdentity& who) const {
  for (const FilterRule& rule : deny) {
    const auto value = field_value(rule.field, level, who);
    if (value && glob_match(rule.pattern, *value)) {
      return false;
    }
  }
  for (const auto& choice : kFields) {
    const auto value = field_value(choice.value, level, who);
    bool asked = false;
    bool matched = false;
    for (const FilterRule& rule : allow) {
      if (rule.field == choice.value) {
        asked = true;
        matched = matched || (value && glob_match(rule.pattern, *value));
      }
    }
    if (asked && value && !matched) {
      return false;
    }
  }
  return true;
}

}  // namespace powertrace
