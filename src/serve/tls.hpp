// SPDX-License-Identifier: Apache-2.0
//
// TLS of the HTTP server: what it needs to know, checked before it listens. Uses GnuTLS, as
// libmicrohttpd does.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;
struct gnutls_session_int;

namespace powertrace {

// As exporter-toolkit's client_auth_type.
enum class ClientAuth {
  kNone,
  kRequest,          // asked for, not looked at
  kRequireAny,       // any certificate
  kVerifyIfGiven,    // none, or one that client_ca_pem signed
  kRequireAndVerify  // one that client_ca_pem signed
};

struct TlsConfig {
  std::string cert_pem;  // the server's, with its chain
  std::string key_pem;
  std::string client_ca_pem;  // empty: none
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_sans;  // names of which a client's certificate must carry one
  std::string priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";  // GnuTLS's language
  bool operator==(const TlsConfig&) const = default;
};

// Certificate, key, authorities and priorities that were found usable, together. Thread-safe.
class TlsSettings {
 public:
  static Result<std::shared_ptr<const TlsSettings>> make(TlsConfig config);
  TlsSettings(const TlsSettings&) = delete;
  TlsSettings& operator=(const TlsSettings&) = delete;
  ~TlsSettings();

  // Makes a session that was just begun use them, whatever it used before, and judge the client's
  // certificate by them. They must outlive the session.
  void apply(gnutls_session_int* session) const;

  [[nodiscard]] const TlsConfig& config() const { return config_; }

 private:
  explicit TlsSettings(TlsConfig config) : config_(std::move(config)) {}
  Status load();

  TlsConfig config_;
  gnutls_certificate_credentials_st* credentials_ = nullptr;
  gnutls_priority_st* priority_ = nullptr;
};

}  // namespace powertrace
