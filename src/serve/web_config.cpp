// SPDX-License-Identifier: Apache-2.0
#include "serve/web_config.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "base/choice.hpp"
#include "base/sysroot.hpp"
#include "config/config_file.hpp"
#include "serve/basic_auth.hpp"

namespace powertrace {
namespace {

constexpr std::string_view kTls = "tls_server_config.";
constexpr std::string_view kUsers = "basic_auth_users.";
constexpr std::string_view kHeaders = "http_server_config.headers.";

constexpr std::array<Choice<ClientAuth>, 5> kClientAuths{
    {{"NoClientCert", ClientAuth::kNone},
     {"RequestClientCert", ClientAuth::kRequest},
     {"RequireAnyClientCert", ClientAuth::kRequireAny},
     {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
     {"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify}}};

// Go's names and GnuTLS's. The old versions are left out on purpose.
constexpr std::array<Choice<int>, 4> kVersions{
    {{"TLS10", 10}, {"TLS11", 11}, {"TLS12", 12}, {"TLS13", 13}}};
constexpr std::array<Choice<const char*>, 4> kCurves{{{"CurveP256", "GROUP-SECP256R1"},
                                                      {"CurveP384", "GROUP-SECP384R1"},
                                                      {"CurveP521", "GROUP-SECP521R1"},
                                                      {"X25519", "GROUP-X25519"}}};

struct Suite {
  std::string_view name;
  std::string_view exchange;
  std::string_view cipher;
};
constexpr std::array<Suite, 9> kSuites{
    {{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA", "AES-128-GCM"},
     {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA", "AES-256-GCM"},
     {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA", "CHACHA20-POLY1305"},
     {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA", "AES-128-GCM"},
     {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA", "AES-256-GCM"},
     {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA", "CHACHA20-POLY1305"},
     // Those of TLS 1.3, which go with every key exchange.
     {"TLS_AES_128_GCM_SHA256", "", "AES-128-GCM"},
     {"TLS_AES_256_GCM_SHA384", "", "AES-256-GCM"},
     {"TLS_CHACHA20_POLY1305_SHA256", "", "CHACHA20-POLY1305"}}};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.size(), list.find(',', begin));
    if (end > begin) {
      items.push_back(list.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return items;
}

// Adds "+what" once.
void allow(std::string& priorities, std::string_view what) {
  const std::string item = fmt::format(":+{}", what);
  if (priorities.find(item) == std::string::npos) {
    priorities += item;
  }
}

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<WebConfig> read() {
    auto entries = read_config(path_);
    if (!entries) {
      return tl::make_unexpected(with_context(entries.error(), "--web.config-file"));
    }
    config_.files.push_back(path_);
    for (const ConfigEntry& entry : *entries) {
      PT_TRY(take(entry));
    }
    PT_TRY(finish_tls());
    if (!users_.empty()) {
      PT_TRY(check_users(users_));
      const auto auth = std::make_shared<BasicAuth>(users_);
      config_.security.authorize = [auth](const Request& request) { return auth->check(request); };
    }
    return std::move(config_);
  }

 private:
  template <typename T>
  Result<T> at(const ConfigEntry& entry, Result<T> value) const {
    if (!value) {
      return tl::make_unexpected(
          with_context(value.error(), fmt::format("{}:{}: {}", path_, entry.line, entry.key)));
    }
    return value;
  }

  Result<std::string> file(const ConfigEntry& entry) {
    std::string name = entry.value;
    if (!name.starts_with('/')) {
      const std::size_t slash = path_.rfind('/');
      name = (slash == std::string::npos ? "" : path_.substr(0, slash + 1)) + name;
    }
    config_.files.push_back(name);
    auto text = read_file(name);
    if (!text) {
      text.error().code = ErrorCode::kUsage;
    }
    return at(entry, std::move(text));
  }

  Status take(const ConfigEntry& entry) {
    const std::string_view key = entry.key;
    if (key.starts_with(kUsers)) {
      users_[std::string(key.substr(kUsers.size()))] = entry.value;
      return {};
    }
    if (key.starts_with(kHeaders)) {
      return take_header(entry, key.substr(kHeaders.size()));
    }
    if (key.starts_with(kTls)) {
      any_tls_ = true;
      return take_tls(entry, key.substr(kTls.size()));
    }
    if (key == "http_server_config.http2") {
      return {};  // this server speaks HTTP/1.1, which every client may ask for
    }
    return unknown(entry, "tls_server_config, http_server_config and basic_auth_users");
  }

  [[nodiscard]] tl::unexpected<Error> unknown(const ConfigEntry& entry, const char* known) const {
    return fail(ErrorCode::kUsage, "{}:{}: unknown key \"{}\"; there are {}", path_, entry.line,
                entry.key, known);
  }

  Status take_header(const ConfigEntry& entry, std::string_view name) {
    const bool plain = std::all_of(entry.value.begin(), entry.value.end(),
                                   [](char c) { return c >= ' ' && c != 0x7F; });
    if (!plain || name.find_first_of(": \t\r\n") != std::string_view::npos) {
      return fail(ErrorCode::kUsage, "{}:{}: not a header", path_, entry.line);
    }
    config_.security.headers.emplace_back(name, entry.value);
    return {};
  }

  Status take_tls(const ConfigEntry& entry, std::string_view key) {
    if (key == "cert_file") {
      PT_ASSIGN(tls_.cert_pem, file(entry));
    } else if (key == "key_file") {
      PT_ASSIGN(tls_.key_pem, file(entry));
    } else if (key == "client_ca_file") {
      PT_ASSIGN(tls_.client_ca_pem, file(entry));
    } else if (key == "cert") {
      tls_.cert_pem = entry.value;
    } else if (key == "key") {
      tls_.key_pem = entry.value;
    } else if (key == "client_ca") {
      tls_.client_ca_pem = entry.value;
    } else if (key == "client_auth_type") {
      PT_ASSIGN(tls_.client_auth, at(entry, parse_choice("a kind", entry.value, kClientAuths)));
    } else if (key == "client_allowed_sans") {
      tls_.client_sans = split(entry.value);
    } else if (key == "min_version") {
      PT_ASSIGN(min_version_, at(entry, parse_choice("a version", entry.value, kVersions)));
    } else if (key == "max_version") {
      PT_ASSIGN(max_version_, at(entry, parse_choice("a version", entry.value, kVersions)));
    } else if (key == "cipher_suites") {
      return take_suites(entry);
    } else if (key == "curve_preferences") {
      for (const std::string& name : split(entry.value)) {
        PT_ASSIGN(const char* group, at(entry, parse_choice("a curve", name, kCurves)));
        groups_ += fmt::format(":+{}", group);
      }
    } else if (key != "prefer_server_cipher_suites") {  // which has no meaning any more, in Go too
      return unknown(entry,
                     "cert_file, key_file, client_auth_type, client_ca_file, client_allowed_sans, "
                     "min_version, max_version, cipher_suites, curve_preferences");
    }
    return {};
  }

  Status take_suites(const ConfigEntry& entry) {
    for (const std::string& name : split(entry.value)) {
      const auto* suite = std::find_if(kSuites.begin(), kSuites.end(),
                                       [&](const Suite& one) { return one.name == name; });
      if (suite == kSuites.end()) {
        return fail(ErrorCode::kUsage,
                    "{}:{}: cipher suite \"{}\" is unknown or too weak; use ECDHE with AES-GCM or "
                    "ChaCha20, such as {}",
                    path_, entry.line, name, kSuites[0].name);
      }
      if (!suite->exchange.empty()) {
        allow(exchanges_, suite->exchange);
      }
      allow(ciphers_, suite->cipher);
    }
    return {};
  }

  Status finish_tls() {
    if (!any_tls_) {
      return {};
    }
    if (tls_.cert_pem.empty() || tls_.key_pem.empty()) {
      return fail(ErrorCode::kUsage, "{}: tls_server_config needs cert_file and key_file", path_);
    }
    if (tls_.client_auth == ClientAuth::kNone && !tls_.client_ca_pem.empty()) {
      return fail(ErrorCode::kUsage,
                  "{}: client_ca_file without client_auth_type checks nobody; add "
                  "client_auth_type: RequireAndVerifyClientCert",
                  path_);
    }
    std::string versions = ":-VERS-ALL";
    for (const auto& version : kVersions) {
      if (version.value >= std::max(12, min_version_) && version.value <= max_version_) {
        versions += fmt::format(":+VERS-TLS1.{}", version.value - 10);
      }
    }
    if (versions == ":-VERS-ALL") {
      return fail(ErrorCode::kUsage, "{}: min_version and max_version leave none of TLS12, TLS13",
                  path_);
    }
    tls_.priorities = "NORMAL" + versions;
    if (!ciphers_.empty()) {
      tls_.priorities += ":-CIPHER-ALL" + ciphers_;
    }
    if (!exchanges_.empty()) {
      tls_.priorities += ":-KX-ALL" + exchanges_;
    }
    if (!groups_.empty()) {
      tls_.priorities += ":-GROUP-ALL" + groups_;
    }
    auto settings = TlsSettings::make(std::move(tls_));
    if (!settings) {
      return tl::make_unexpected(with_context(settings.error(), path_));
    }
    config_.security.tls = std::move(*settings);
    return {};
  }

  std::string path_;
  WebConfig config_;
  UserHashes users_;
  TlsConfig tls_;
  bool any_tls_ = false;
  int min_version_ = 12;
  int max_version_ = 13;
  std::string exchanges_, ciphers_, groups_;
};

}  // namespace

Result<WebConfig> read_web_config(const std::string& path) {
  return Reader(path).read();
}

}  // namespace powertrace
