// SPDX-License-Identifier: Apache-2.0
//
// Redis: every row into the stream powertrace:samples, and the latest of each container and of the
// node into hashes powertrace:latest:<node>:<scope>[:<id>]:<zone> that expire. A batch is one
// transaction. After a lost answer it is sent again: readers tell by node and t1_ms.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "push/sink.hpp"

namespace powertrace {

struct RedisConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;
  std::string password;
  int database = 0;
  std::string password_file;            // instead of password
  std::int64_t most_entries = 100'000;  // of the stream, about
  std::int64_t latest_seconds = 120;    // how long a latest hash lives
};

// redis://[[user]:password@]host[:port][/database]
Result<RedisConfig> parse_redis_url(const std::string& url);

std::unique_ptr<Sink> make_redis_sink(RedisConfig config);

}  // namespace powertrace
