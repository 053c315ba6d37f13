// SPDX-License-Identifier: Apache-2.0
//
// What is sent, byte by byte where a format allows to say so; tests/e2e/push_test.py asks the real
// servers.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "push/http_sinks.hpp"
#include "push/json_lines.hpp"
#include "push/line_protocol.hpp"
#include "push/protobuf.hpp"
#include "push/redis_sink.hpp"

using namespace powertrace;

namespace {

PushBatch batch_of(const std::string& name_space) {
  PushBatch batch;
  batch.node = "n 1";
  batch.start_ms = 1000;
  batch.end_ms = 11'000;
  PushRow node;
  node.zone = "package";
  node.energy_nj = 25'000'000'000;
  node.total_nj = 50'000'000'000;
  PushRow container;
  container.scope = PushScope::kContainer;
  container.container_id = "c1";
  container.name_space = name_space;
  container.zone = "package";
  container.energy_nj = 12'500'000'000;
  container.total_nj = 12'500'000'000;
  container.run_ns = 3'000'000'000;
  batch.rows = {node, container};
  return batch;
}

}  // namespace

TEST_CASE("line protocol: escaped, sorted, one line per row") {
  CHECK(influx_lines(batch_of("a,b=c d")) ==
        "powertrace_energy,node=n\\ 1,scope=node,zone=package "
        "joules=25,joules_total=50,cpu_seconds=0,watts=2.5,measured=true 11000\n"
        "powertrace_energy,container_id=c1,namespace=a\\,b\\=c\\ d,node=n\\ 1,scope=container,"
        "zone=package joules=12.5,joules_total=12.5,cpu_seconds=3,watts=1.25,measured=true "
        "11000\n");
  CHECK(influx_tag("x\ny\\") == "x_y/");
}

TEST_CASE("JSON lines survive any bytes") {
  const std::string lines = json_lines(batch_of("\xff\"\n"));
  std::size_t begin = 0;
  int rows = 0;
  while (begin < lines.size()) {
    const std::size_t end = lines.find('\n', begin);
    const auto json = nlohmann::json::parse(lines.substr(begin, end - begin));
    CHECK(json["node"] == "n 1");
    CHECK(json["end"] == "1970-01-01T00:00:11Z");
    ++rows;
    begin = end + 1;
  }
  CHECK(rows == 2);
}

TEST_CASE("protobuf messages are made of any names") {
  for (const std::string& name :
       {std::string(), std::string("shop"), std::string("\xf0\x9f\xff\n\"", 5)}) {
    CHECK(remote_write_request(batch_of(name)).size() > 200);
    CHECK(otlp_request(batch_of(name)).size() > 200);
  }
  CHECK(remote_write_request(batch_of("\xff")).find('\xff') == std::string::npos);
}

TEST_CASE("addresses of servers are completed or refused") {
  CHECK(parse_influx_url("http://h:8086?db=p")->url == "http://h:8086/write?precision=ms&db=p");
  CHECK(parse_influx_url("http://h:8086/?org=o&bucket=b")->url ==
        "http://h:8086/api/v2/write?precision=ms&org=o&bucket=b");
  CHECK_FALSE(parse_influx_url("http://h:8086").has_value());
  CHECK_FALSE(parse_influx_url("h:8086?db=p").has_value());
  CHECK(parse_remote_write_url("http://h:9090")->url == "http://h:9090/api/v1/write");
  CHECK(parse_remote_write_url("http://h/custom")->url == "http://h/custom");
  CHECK(parse_otlp_url("http://h:4318/")->url == "http://h:4318/v1/metrics");
  const RedisConfig redis = parse_redis_url("redis://me:pw@h:7000/3").value();
  CHECK(redis.user == "me");
  CHECK(redis.password == "pw");
  CHECK(redis.host == "h");
  CHECK(redis.port == 7000);
  CHECK(redis.database == 3);
  CHECK(parse_redis_url("redis://[::1]:7000")->host == "::1");
  CHECK(parse_redis_url("redis://h")->port == 6379);
  for (const char* url : {"", "redis://", "http://h", "redis://h:0", "redis://h:x", "redis://h/x",
                          "redis://h:99999", "redis://:7"}) {
    CHECK_FALSE_MESSAGE(parse_redis_url(url).has_value(), url);
  }
}
