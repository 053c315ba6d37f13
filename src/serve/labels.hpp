// SPDX-License-Identifier: Apache-2.0
//
// Label values and label lists. Names come from other people's processes: whatever bytes they hold,
// the result is valid UTF-8 and stays inside its quotes. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "serve/account_view.hpp"

namespace powertrace {

// Valid UTF-8 without control characters but the newline; anything else becomes U+FFFD.
std::string clean_text(std::string_view text);

// `a="x",b="y"`, with clean, escaped values.
std::string label_list(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

// "zone" and "state" come with each sample and are not among these.
WorkloadLabels workload_labels(AccountLevel level,
                               const WorkloadIdentity& who,
                               std::string_view node_name);

// Of a remainder: "[kernel]" and so on.
WorkloadLabels remainder_labels(AccountLevel level,
                                std::string_view name,
                                std::string_view node_name);

// The namespace and the name of the pod, empty if there is none or it is not known.
const PodIdentity* pod_of(const WorkloadIdentity& who);

}  // namespace powertrace
