// SPDX-License-Identifier: Apache-2.0
//
// Power limits as the driver has them, in memory: rounded down to 1/8 W, wrapped at 4096 W, ENODATA
// where the firmware has locked them, EINVAL for what is no number. Every write is kept, with what
// it left behind. Faults are set by the test.
#pragma once

#include <cerrno>
#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "capping/sysfs_io.hpp"

namespace powertrace::test {

class FakeLimits final : public SysfsIo {
 public:
  struct Write {
    std::string path;
    std::string text;
    std::map<std::string, std::string> after;  // all files
  };

  void add_package(int number,
                   std::uint64_t long_uw,
                   std::uint64_t short_uw,
                   std::uint64_t tdp_uw) {
    const std::string dir = package(number);
    files[dir + "/name"] = fmt::format("package-{}\n", number);
    files[dir + "/enabled"] = "1\n";
    files[dir + "/max_energy_range_uj"] = "262143328850\n";
    constraint(dir, 0, "long_term", long_uw, tdp_uw);
    constraint(dir, 1, "short_term", short_uw, 0);
  }
  void constraint(const std::string& dir,
                  int index,
                  const std::string& name,
                  std::uint64_t limit_uw,
                  std::uint64_t max_uw) {
    const std::string prefix = fmt::format("{}/constraint_{}_", dir, index);
    files[prefix + "name"] = name + "\n";
    files[prefix + "power_limit_uw"] = fmt::format("{}\n", limit_uw);
    files[prefix + "max_power_uw"] = fmt::format("{}\n", max_uw);
    files[prefix + "time_window_us"] = "27983872\n";
  }
  static std::string package(int number) {
    return fmt::format("/sys/class/powercap/intel-rapl:{}", number);
  }
  static std::string limit(int number, int constraint) {
    return fmt::format("{}/constraint_{}_power_limit_uw", package(number), constraint);
  }
  [[nodiscard]] std::uint64_t limit_uw(int number, int constraint) const {
    return std::stoull(files.at(limit(number, constraint)));
  }

  Result<std::string> read(const std::string& path) override {
    const auto error = read_errors.find(path);
    if (error != read_errors.end()) {
      return fail_errno(error->second, "cannot read {}", path);
    }
    const auto file = files.find(path);
    if (file == files.end()) {
      return fail_errno(ENOENT, "cannot open {}", path);
    }
    return file->second;
  }

  Status write(const std::string& path, std::string_view text) override {
    if (before_write) {
      before_write(path);
    }
    if (!files.contains(path)) {
      return fail_errno(ENOENT, "cannot open {} for writing", path);
    }
    const auto error = write_errors.find(path);
    if (error != write_errors.end()) {
      return fail_errno(error->second, "cannot write {}", path);
    }
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (failed != std::errc() || !(rest.empty() || rest == "\n")) {
      return fail_errno(EINVAL, "cannot write {}", path);
    }
    if (path.ends_with("/enabled")) {
      files[path] = fmt::format("{}\n", value);
    } else if (!ignored.contains(path)) {
      files[path] = fmt::format("{}\n", value / 125'000 % 0x8000 * 125'000);
    }
    writes.push_back({path, std::string(text), files});
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    std::vector<std::string> names;
    for (const auto& [file, text] : files) {
      if (!file.starts_with(path + "/")) {
        continue;
      }
      const std::string rest = file.substr(path.size() + 1);
      const std::string name = rest.substr(0, rest.find('/'));
      if (names.empty() || names.back() != name) {
        names.push_back(name);
      }
    }
    if (names.empty()) {
      return fail_errno(ENOENT, "cannot list {}", path);
    }
    return names;
  }

  std::map<std::string, std::string> files;
  std::map<std::string, int> read_errors;
  std::map<std::string, int> write_errors;
  std::map<std::string, bool> ignored;  // takes writes without effect
  std::function<void(const std::string&)> before_write;
  std::vector<Write> writes;
};

}  // namespace powertrace::test
