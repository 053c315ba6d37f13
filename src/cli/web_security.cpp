// SPDX-License-Identifier: Apache-2.0
#include "cli/web_security.hpp"

#include <cstring>
#include <sys/stat.h>
#include <utility>

#include "base/log.hpp"

namespace powertrace {
namespace {

// When files were last written; a change is a reason to read them again.
std::vector<timespec> file_times(const std::vector<std::string>& files) {
  std::vector<timespec> times;
  for (const std::string& file : files) {
    struct stat info {};
    times.push_back(::stat(file.c_str(), &info) == 0 ? info.st_mtim : timespec{});
  }
  return times;
}

bool same_times(const std::vector<timespec>& a, const std::vector<timespec>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(timespec)) == 0);
}

}  // namespace

Result<WebSecurity> WebSecurity::read(const std::string& path, SecurityFilter filter) {
  WebSecurity made;
  made.path_ = path;
  made.filter_ = std::move(filter);
  if (!path.empty()) {
    PT_ASSIGN(made.config_, read_web_config(path));
    made.times_ = file_times(made.config_.files);
  }
  return made;
}

ServerSecurity WebSecurity::security() const {
  return filter_ ? filter_(config_.security) : config_.security;
}

void WebSecurity::refresh(HttpServer& server, bool even_if_unchanged) {
  if (path_.empty()) {
    return;
  }
  const std::vector<timespec> now = file_times(config_.files);
  if (!even_if_unchanged && same_times(now, times_)) {
    return;
  }
  times_ = now;
  auto config = read_web_config(path_);
  Status applied;
  if (config) {
    applied = server.set_security(filter_ ? filter_(config->security) : config->security);
  }
  if (!config || !applied) {
    log_error("{}; the settings of before stay in force",
              config ? applied.error().message : config.error().message);
    return;
  }
  config_ = std::move(*config);
  times_ = file_times(config_.files);
  log_info("read {} again", path_);
}

Result<std::vector<Listener>> open_listeners(const std::vector<ListenAddress>& addresses) {
  std::vector<Listener> listeners;
  for (const ListenAddress& address : addresses) {
    PT_ASSIGN(Listener listener, open_listener(address));
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

}  // namespace powertrace
