// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include "base/choice.hpp"
#include "model/rollup.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<SortKey>, 4> kSortKeys{{{"watts", SortKey::kWatts},
                                                    {"joules", SortKey::kJoules},
                                                    {"cpu", SortKey::kCpu},
                                                    {"name", SortKey::kName}}};

// ASCII only, so that the answer does not depend on the locale.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

}  // namespace

std::string_view sort_key_name(SortKey key) {
  return choice_name(kSortKeys, key);
}

Result<SortKey> parse_sort_key(std::string_view text) {
  return parse_choice("a sort key", text, kSortKeys);
}

void sort_rows(std::vector<Row>& rows, SortKey key) {
  std::stable_sort(rows.begin(), rows.end(), [key](const Row& a, const Row& b) {
    // Within one interval watts and joules order alike.
    if (key == SortKey::kName && a.name != b.name) {
      return a.name < b.name;
    }
    if (key == SortKey::kCpu && a.run_ns != b.run_ns) {
      return a.run_ns > b.run_ns;
    }
    if (key != SortKey::kName && key != SortKey::kCpu && a.energy_nj != b.energy_nj) {
      return a.energy_nj > b.energy_nj;
    }
    return a.id < b.id;
  });
}

bool row_matches(const Row& row, std::string_view filter) {
  if (filter.empty() || contains(row.name, filter) ||
      (row.pid != 0 && contains(std::to_string(row.pid), filter)) ||
      (row.tid != 0 && contains(std::to_string(row.tid), filter))) {
    return true;
  }
  if (row.process && (contains(row.process->comm, filter) || contains(row.process->exe, filter) ||
                      contains(row.process->cmdline, filter))) {
    return true;
  }
  if (row.cgroup && contains(row.cgroup->path, filter)) {
    return true;
  }
  if (row.container &&
      (contains(row.container->id, filter) || contains(row.container->name, filter) ||
       contains(row.container->pod_uid, filter))) {
    return true;
  }
  return row.pod && (contains(row.pod->name, filter) || contains(row.pod->name_space, filter));
}

}  // namespace powertrace
