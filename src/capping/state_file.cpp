// SPDX-License-Identifier: Apache-2.0
#include "capping/state_file.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/atomic_file.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::json;
constexpr const char* kStateSchema = "powertrace.powercap-state/1";

Json to_json(const SavedLimit& limit) {
  return {{"index", limit.index}, {"original", limit.original}, {"ours", limit.ours}};
}

Json to_json(const SavedZone& zone) {
  Json json = {{"dir", zone.dir},
               {"name", zone.name},
               {"enabled", zone.enabled},
               {"enabled_by_us", zone.enabled_by_us},
               {"time_window_us", zone.window},
               {"long_term", to_json(zone.long_term)}};
  if (zone.short_term) {
    json["short_term"] = to_json(*zone.short_term);
  }
  return json;
}

// These throw what nlohmann/json throws; load() catches it.
SavedLimit limit_from(const Json& json) {
  return {json.at("index").get<int>(), json.at("original").get<std::string>(),
          json.at("ours").get<std::vector<std::uint64_t>>()};
}

SavedZone zone_from(const Json& json) {
  SavedZone zone;
  zone.dir = json.at("dir").get<std::string>();
  zone.name = json.at("name").get<std::string>();
  zone.enabled = json.at("enabled").get<std::string>();
  zone.enabled_by_us = json.at("enabled_by_us").get<bool>();
  zone.window = json.at("time_window_us").get<std::string>();
  zone.long_term = limit_from(json.at("long_term"));
  if (json.contains("short_term")) {
    zone.short_term = limit_from(json.at("short_term"));
  }
  return zone;
}

}  // namespace

Result<UniqueFd> StateDir::lock(int wait_ms) const {
  PT_TRY(make_dirs(dir_));
  UniqueFd fd(::open(lock_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    return fail_errno(errno, "cannot open {}", lock_path());
  }
  constexpr int kStepMs = 20;
  for (int waited_ms = 0; ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; waited_ms += kStepMs) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail_errno(errno, "cannot lock {}", lock_path());
    }
    if (waited_ms >= wait_ms) {
      return fail(ErrorCode::kBusy,
                  "another powertrace holds {} (process {}): stop it first, there can be one "
                  "writer only",
                  lock_path(), read_trimmed(lock_path()).value_or("?"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kStepMs));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  // For the message above only.
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return fail_errno(errno, "cannot write {}", lock_path());
  }
  return fd;
}

std::optional<int> StateDir::lock_holder() const {
  struct stat file {};
  const auto locks = read_file("/proc/locks");
  if (!locks || ::stat(lock_path().c_str(), &file) != 0) {
    return std::nullopt;
  }
  // "1: FLOCK  ADVISORY  WRITE 1234 00:1c:5678 0 EOF"
  std::istringstream lines(*locks);
  std::string number, kind, mode, access, where;
  int pid = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (!(words >> number >> kind >> mode >> access >> pid >> where) || kind != "FLOCK" ||
        pid <= 0 || !where.ends_with(fmt::format(":{}", file.st_ino))) {
      continue;
    }
    // Other file systems have files of this number, too.
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
      struct stat open {};
      if (::stat(entry.path().c_str(), &open) == 0 && open.st_ino == file.st_ino &&
          open.st_dev == file.st_dev) {
        return pid;
      }
    }
  }
  return std::nullopt;
}

Status StateDir::save(const CapState& state) const {
  Json zones = Json::array();
  for (const SavedZone& zone : state.zones) {
    zones.push_back(to_json(zone));
  }
  const Json json = {{"schema", kStateSchema},
                     {"boot_id", state.boot_id},
                     {"pid", state.pid},
                     {"started", state.started},
                     {"zones", std::move(zones)}};
  return write_file_atomic(state_path(),
                           json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n");
}

Result<std::optional<CapState>> StateDir::load() const {
  const auto text = read_file(state_path());
  if (!text && text.error().sys_errno == ENOENT) {
    return std::optional<CapState>();
  }
  if (!text) {
    return tl::make_unexpected(text.error());
  }
  try {
    const Json json = Json::parse(*text);
    if (json.at("schema").get<std::string>() != kStateSchema) {
      return fail(ErrorCode::kMalformed, "{} is of another version of powertrace", state_path());
    }
    CapState state;
    state.boot_id = json.at("boot_id").get<std::string>();
    state.pid = json.at("pid").get<std::int64_t>();
    state.started = json.at("started").get<std::string>();
    for (const Json& zone : json.at("zones")) {
      state.zones.push_back(zone_from(zone));
    }
    return std::optional(std::move(state));
  } catch (const Json::exception& error) {
    return fail(ErrorCode::kMalformed,
                "{} cannot be read ({}): set the limits by hand from what it holds, then remove it",
                state_path(), error.what());
  }
}

Status StateDir::remove() const {
  if (::unlink(state_path().c_str()) != 0 && errno != ENOENT) {
    return fail_errno(errno, "cannot remove {}", state_path());
  }
  return {};
}

std::string boot_id(const SysRoot& root) {
  return read_trimmed(root.proc("sys/kernel/random/boot_id")).value_or("");
}

}  // namespace powertrace
