// SPDX-License-Identifier: Apache-2.0
#include "config/config_file.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <yaml-cpp/yaml.h>

#include "base/sysroot.hpp"

namespace powertrace {
namespace {

constexpr int kMaxDepth = 8;

struct Reader {
  const std::string& path;
  std::vector<ConfigEntry> entries;

  tl::unexpected<Error> malformed(const YAML::Node& node, const std::string& what) const {
    return fail(ErrorCode::kUsage, "{}:{}: {}", path, node.Mark().line + 1, what);
  }

  Result<std::string> list(const YAML::Node& node, const std::string& key) const {
    std::string joined;
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) {
        return malformed(item, fmt::format("\"{}\" must be a list of plain values", key));
      }
      joined += (joined.empty() ? "" : ",") + item.Scalar();
    }
    return joined;
  }

  Status map(const YAML::Node& node, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) {
      return malformed(node, "nested too deeply");
    }
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        return malformed(pair.first, "a key must be a plain word");
      }
      const std::string key = prefix + pair.first.Scalar();
      if (pair.second.IsMap()) {
        PT_TRY(map(pair.second, key + ".", depth + 1));
        continue;
      }
      std::string value;
      if (pair.second.IsSequence()) {
        PT_ASSIGN(value, list(pair.second, key));
      } else if (pair.second.IsScalar()) {
        value = pair.second.Scalar();
      } else {
        return malformed(pair.first, fmt::format("\"{}\" has no value", key));
      }
      const bool repeated = std::any_of(entries.begin(), entries.end(),
                                        [&](const ConfigEntry& e) { return e.key == key; });
      if (repeated) {
        return malformed(pair.first, fmt::format("\"{}\" is given twice", key));
      }
      entries.push_back({key, std::move(value), pair.first.Mark().line + 1});
    }
    return {};
  }
};

// Levenshtein distance, for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

Result<std::vector<ConfigEntry>> read_config(const std::string& path) {
  auto text = read_file(path);
  if (!text) {
    Error error = text.error();
    error.code = ErrorCode::kUsage;
    return tl::make_unexpected(std::move(error));
  }
  try {
    const YAML::Node root = YAML::Load(*text);
    Reader reader{path, {}};
    if (root.IsNull()) {
      return std::move(reader.entries);
    }
    if (!root.IsMap()) {
      return reader.malformed(root, "expected \"option: value\" lines");
    }
    PT_TRY(reader.map(root, "", 1));
    return std::move(reader.entries);
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kUsage, "{}:{}: {}", path, error.mark.line + 1, error.msg);
  }
}

Status check_config_keys(const std::string& path,
                         std::span<const ConfigEntry> entries,
                         std::span<const std::string> known) {
  for (const ConfigEntry& entry : entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) {
      continue;
    }
    std::size_t best = std::numeric_limits<std::size_t>::max();
    std::string_view nearest;
    for (const std::string& candidate : known) {
      const std::size_t distance = edit_distance(entry.key, candidate);
      if (distance < best) {
        best = distance;
        nearest = candidate;
      }
    }
    return fail(ErrorCode::kUsage, "{}:{}: unknown key \"{}\"{}", path, entry.line, entry.key,
                best <= 3 ? fmt::format("; did you mean \"{}\"?", nearest)
                          : std::string("; `powertrace COMMAND --help` lists the options"));
  }
  return {};
}

}  // namespace powertrace
