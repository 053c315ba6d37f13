// SPDX-License-Identifier: Apache-2.0
//
// TLS of the HTTP server: what it needs to know, checked before it listens. Uses GnuTLS, as
// libmicrohttpd does.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

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

// Whether certificate, key, authorities and priorities can be used, together.
Status check_tls(const TlsConfig& config);

// Makes a session that was just begun ask for the client's certificate and judge it. `config` must
// outlive the session.
void demand_client_certificate(gnutls_session_int* session, const TlsConfig& config);

}  // namespace powertrace
