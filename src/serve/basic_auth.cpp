// SPDX-License-Identifier: Apache-2.0
#include "serve/basic_auth.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <sys/random.h>

#include <crypt.h>
#include <gnutls/crypto.h>

#include "base/clock.hpp"

namespace powertrace {
namespace {

constexpr std::size_t kBcryptLength = 60;
constexpr int kMaxCost = 14;  // about a second
constexpr double kComputationsPerSecond = 5;
constexpr double kBurst = 10;
// Unknown users cost as much as known ones, so that names cannot be told by the time it takes.
constexpr const char* kNobody = "$2b$10$abcdefghijklmnopqrstuuQ2hIlirvQiyDfgKeb3iHyNkYyu8bhPO";

int base64_digit(char c) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') {
    text.remove_suffix(1);
  }
  std::string decoded;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) {
      return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  return decoded;
}

bool equal_slowly(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

bool bcrypt_matches(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB
  const char* computed = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  return computed != nullptr && equal_slowly(computed, hash);
}

Response ask_for_password() {
  Response response = problem(401, "this server wants a user name and a password");
  response.headers.emplace_back("WWW-Authenticate",
                                "Basic realm=\"powertrace\", charset=\"UTF-8\"");
  return response;
}

}  // namespace

Status check_users(const UserHashes& users) {
  for (const auto& [user, hash] : users) {
    const bool bcrypt = hash.size() == kBcryptLength && hash.starts_with("$2") && hash[3] == '$' &&
                        hash[6] == '$' && (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y');
    int cost = 0;
    if (bcrypt) {
      std::from_chars(hash.data() + 4, hash.data() + 6, cost);
    }
    if (!bcrypt || cost < 4) {
      return fail(ErrorCode::kUsage,
                  "basic_auth_users: the password of \"{}\" is not a bcrypt hash; make one with "
                  "`htpasswd -nBC 10 {}`",
                  user, user);
    }
    if (cost > kMaxCost) {
      return fail(ErrorCode::kUsage,
                  "basic_auth_users: the hash of \"{}\" has cost {}, which takes too long for a "
                  "request; use at most {}",
                  user, cost, kMaxCost);
    }
  }
  return {};
}

std::optional<std::pair<std::string, std::string>> parse_basic(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  const bool basic =
      header.size() > kScheme.size() && std::equal(kScheme.begin(), kScheme.end(), header.begin(),
                                                   [](char a, char b) { return a == (b | 0x20); });
  if (!basic) {
    return std::nullopt;
  }
  const auto decoded = base64(header.substr(kScheme.size()));
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  return std::pair(decoded->substr(0, colon), decoded->substr(colon + 1));
}

BasicAuth::BasicAuth(UserHashes users)
    : users_(std::move(users)), secret_(32, '\0'), tokens_(kBurst), refilled_ns_(monotonic_ns()) {
  if (::getrandom(secret_.data(), secret_.size(), 0) != static_cast<ssize_t>(secret_.size())) {
    secret_.clear();  // then nothing is remembered
  }
}

std::string BasicAuth::digest(const std::string& user, const std::string& password) const {
  std::array<char, 32> out{};
  const std::string both =
      users_.count(user) != 0 ? user + '\0' + users_.at(user) + '\0' + password : std::string();
  ::gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret_.data(), secret_.size(), both.data(), both.size(),
                     out.data());
  return {out.data(), out.size()};
}

bool BasicAuth::may_compute() {
  const std::uint64_t now_ns = monotonic_ns();
  tokens_ = std::min(
      kBurst, tokens_ + static_cast<double>(now_ns - refilled_ns_) / 1e9 * kComputationsPerSecond);
  refilled_ns_ = now_ns;
  if (tokens_ < 1) {
    return false;
  }
  tokens_ -= 1;
  return true;
}

bool BasicAuth::verify(const std::string& user, const std::string& password) const {
  const auto known = users_.find(user);
  const bool matches = bcrypt_matches(password, known == users_.end() ? kNobody : known->second);
  return matches && known != users_.end() && password.find('\0') == std::string::npos;
}

std::optional<Response> BasicAuth::check(const Request& request) {
  const auto given = parse_basic(request.header("authorization"));
  if (!given) {
    return ask_for_password();
  }
  const auto& [user, password] = *given;
  const std::string key = digest(user, password);
  {
    const std::lock_guard lock(mutex_);
    if (!secret_.empty() && users_.count(user) != 0 && accepted_.count(key) != 0) {
      return std::nullopt;
    }
    if (!may_compute()) {
      Response busy = problem(429, "too many attempts with passwords that were not seen before");
      busy.headers.emplace_back("Retry-After", "1");
      return busy;
    }
  }
  // Who is known already must not wait for this.
  const std::lock_guard one_at_a_time(computing_);
  if (!verify(user, password)) {
    return ask_for_password();
  }
  const std::lock_guard lock(mutex_);
  accepted_.insert(key);
  return std::nullopt;
}

}  // namespace powertrace
