// SPDX-License-Identifier: Apache-2.0
//
// The file of --web.config-file, in the format of Prometheus' exporter-toolkit: TLS, client
// certificates, users, headers.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "serve/http_server.hpp"

namespace powertrace {

struct WebConfig {
  ServerSecurity security;
  std::vector<std::string> files;  // this one and those that it names: when one changes, read again
};

// Relative paths are from the file's directory. kUsage with file, line and what is accepted.
Result<WebConfig> read_web_config(const std::string& path);

}  // namespace powertrace
