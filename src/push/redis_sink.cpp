// SPDX-License-Identifier: Apache-2.0
#include "push/redis_sink.hpp"

#include <charconv>
#include <string_view>
#include <sys/time.h>
#include <vector>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "base/sysroot.hpp"

namespace powertrace {
namespace {

constexpr timeval kTimeout{5, 0};

struct FreeContext {
  void operator()(redisContext* context) const noexcept { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;
using Command = std::vector<std::string>;

class RedisSink final : public Sink {
 public:
  explicit RedisSink(RedisConfig config) : config_(std::move(config)) {}

  [[nodiscard]] std::string name() const override {
    return fmt::format("redis {}:{}", config_.host, config_.port);
  }

  Status send(const PushBatch& batch) override {
    Status sent = try_send(batch);
    if (!sent) {
      context_.reset();  // what is left in the connection belongs to this batch
    }
    return sent;
  }

 private:
  Status try_send(const PushBatch& batch) {
    if (!context_) {
      PT_TRY(connect());
    }
    std::size_t commands = 0;
    const auto append = [&](const Command& command) {
      std::vector<const char*> texts;
      std::vector<std::size_t> sizes;
      for (const std::string& argument : command) {
        texts.push_back(argument.data());
        sizes.push_back(argument.size());
      }
      redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(),
                             sizes.data());
      ++commands;
    };
    append({"MULTI"});
    for (const PushRow& row : batch.rows) {
      const Command fields = fields_of(batch, row);
      Command add{"XADD", "powertrace:samples", "MAXLEN", "~", std::to_string(config_.most_entries),
                  "*"};
      add.insert(add.end(), fields.begin(), fields.end());
      append(add);
      const std::string key = latest_key(batch, row);
      Command set{"HSET", key};
      set.insert(set.end(), fields.begin(), fields.end());
      append(set);
      append({"EXPIRE", key, std::to_string(config_.latest_seconds)});
    }
    append({"EXEC"});
    Status first;
    for (std::size_t i = 0; i < commands; ++i) {
      Status one = read_reply();
      if (!one && !context_) {
        return one;
      }
      first = first ? one : first;  // the cause comes before EXECABORT
    }
    return first;
  }

  static std::string latest_key(const PushBatch& batch, const PushRow& row) {
    return row.scope == PushScope::kNode
               ? fmt::format("powertrace:latest:{}:node:{}", batch.node, row.zone)
               : fmt::format("powertrace:latest:{}:container:{}:{}", batch.node, row.container_id,
                             row.zone);
  }

  static Command fields_of(const PushBatch& batch, const PushRow& row) {
    Command fields{"v",        "1",
                   "node",     batch.node,
                   "scope",    row.scope == PushScope::kNode ? "node" : "container",
                   "zone",     row.zone,
                   "t0_ms",    std::to_string(batch.start_ms),
                   "t1_ms",    std::to_string(batch.end_ms),
                   "uj",       std::to_string(row.energy_nj / 1000),
                   "nj",       std::to_string(row.energy_nj),
                   "measured", batch.measured ? "1" : "0"};
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) {
        fields.insert(fields.end(), {name, value});
      }
    };
    add("container_id", row.container_id);
    add("container", row.container);
    add("pod_uid", row.pod_uid);
    add("pod", row.pod);
    add("namespace", row.name_space);
    return fields;
  }

  // An error reply keeps the connection, a broken connection drops it.
  Status read_reply() {
    void* raw = nullptr;
    if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
      const std::string why = context_->errstr;
      context_.reset();
      return fail(ErrorCode::kBusy, "the connection is lost: {}", why);
    }
    const Reply reply(static_cast<redisReply*>(raw));
    if (reply && reply->type == REDIS_REPLY_ERROR) {
      // Full (OOM), loading, read-only: all of them may pass.
      return fail(ErrorCode::kBusy, "it says: {}", std::string(reply->str, reply->len));
    }
    return {};
  }

  Status command(const Command& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(),
                           sizes.data());
    return read_reply();
  }

  Status connect() {
    context_.reset(redisConnectWithTimeout(config_.host.c_str(), config_.port, kTimeout));
    if (!context_ || context_->err != 0) {
      const std::string why = context_ ? context_->errstr : "out of memory";
      context_.reset();
      return fail(ErrorCode::kBusy, "cannot connect: {}", why);
    }
    redisSetTimeout(context_.get(), kTimeout);
    std::string password = config_.password;
    if (!config_.password_file.empty()) {
      const auto read = read_trimmed(config_.password_file);
      if (!read) {
        return fail(ErrorCode::kBusy, "its password cannot be read: {}", read.error().message);
      }
      password = *read;
    }
    if (!password.empty()) {
      PT_TRY(command(config_.user.empty() ? Command{"AUTH", password}
                                          : Command{"AUTH", config_.user, password}));
    }
    if (config_.database != 0) {
      PT_TRY(command({"SELECT", std::to_string(config_.database)}));
    }
    return {};
  }

  RedisConfig config_;
  std::unique_ptr<redisContext, FreeContext> context_;
};

template <typename T>
bool whole_number(std::string_view text, T most, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= most;
}

}  // namespace

Result<RedisConfig> parse_redis_url(const std::string& url) {
  constexpr std::string_view kScheme = "redis://";
  const auto bad = [] {
    return fail(ErrorCode::kUsage,
                "--push-redis: write it as in redis://127.0.0.1:6379 or "
                "redis://user:password@host:6379/0");
  };
  if (url.rfind(kScheme, 0) != 0) {
    return bad();
  }
  RedisConfig config;
  std::string rest = url.substr(kScheme.size());
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    const std::string login = rest.substr(0, at);
    const std::size_t colon = login.find(':');
    config.user = colon == std::string::npos ? "" : login.substr(0, colon);
    config.password = colon == std::string::npos ? login : login.substr(colon + 1);
    rest.erase(0, at + 1);
  }
  if (const std::size_t slash = rest.find('/'); slash != std::string::npos) {
    const std::string number = rest.substr(slash + 1);
    if (!number.empty() &&
        (!whole_number(number, 1'000'000, config.database) || config.database < 0)) {
      return bad();
    }
    rest.erase(slash);
  }
  if (const std::size_t colon = rest.rfind(':');
      colon != std::string::npos && (rest[0] != '[' || rest[colon - 1] == ']')) {
    if (!whole_number<std::uint16_t>(rest.substr(colon + 1), 65535, config.port) ||
        config.port == 0) {
      return bad();
    }
    rest.erase(colon);
  }
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') {
    rest = rest.substr(1, rest.size() - 2);
  }
  if (rest.empty()) {
    return bad();
  }
  config.host = rest;
  return config;
}

std::unique_ptr<Sink> make_redis_sink(RedisConfig config) {
  return std::make_unique<RedisSink>(std::move(config));
}

}  // namespace powertrace
