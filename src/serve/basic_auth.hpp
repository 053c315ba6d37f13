// SPDX-License-Identifier: Apache-2.0
//
// HTTP basic authentication against bcrypt hashes. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.hpp"
#include "serve/router.hpp"

namespace powertrace {

using UserHashes = std::map<std::string, std::string>;  // name -> bcrypt hash

// kUsage: a hash that is not bcrypt's, or costs more than a request may.
Status check_users(const UserHashes& users);

class BasicAuth {
 public:
  explicit BasicAuth(UserHashes users);

  // nullopt: let it pass. bcrypt is slow on purpose, so an accepted password is remembered (as a
  // keyed hash), hashes are computed one at a time, and wrong ones only so often.
  std::optional<Response> check(const Request& request);

 private:
  [[nodiscard]] bool verify(const std::string& user, const std::string& password) const;
  bool may_compute();
  std::string digest(const std::string& user, const std::string& password) const;

  const UserHashes users_;
  std::string secret_;  // key of the digests, random per process
  std::mutex computing_;
  std::mutex mutex_;                          // of what follows
  std::unordered_set<std::string> accepted_;  // digests
  double tokens_ = 0;
  std::uint64_t refilled_ns_ = 0;
};

// Of "Basic ..." in an Authorization header; nullopt: not that, or not valid base64.
std::optional<std::pair<std::string, std::string>> parse_basic(std::string_view header);

}  // namespace powertrace
