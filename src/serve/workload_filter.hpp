// SPDX-License-Identifier: Apache-2.0
//
// Which workloads have series of their own. Everything else goes to [others]. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "serve/account_view.hpp"

namespace powertrace {

// What one rule looks at. A workload to which it does not apply (a cgroup has no comm) passes.
enum class FilterField : std::uint8_t { kNamespace, kCgroup, kComm };

struct FilterRule {
  FilterField field = FilterField::kNamespace;
  std::string pattern;  // with * and ?
  bool operator==(const FilterRule&) const = default;
};

// "namespace=kube-*", "cgroup=/user.slice/*", "comm=nginx".
Result<FilterRule> parse_filter_rule(std::string_view text);

// `*` is any text, `?` any one byte. Linear in practice: no recursion.
bool glob_match(std::string_view pattern, std::string_view text);

struct SeriesFilter {
  std::vector<FilterRule> allow;  // of one field: one of them must match; none: everything may
  std::vector<FilterRule> deny;   // one that matches is enough
  bool operator==(const SeriesFilter&) const = default;

  [[nodiscard]] bool passes(AccountLevel level, const WorkloadIdentity& who) const;
};

}  // namespace powertrace
