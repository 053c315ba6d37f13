// SPDX-License-Identifier: Apache-2.0
#include "serve/tls.hpp"

#include <algorithm>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

namespace powertrace {
namespace {

gnutls_datum_t datum(const std::string& text) {
  // GnuTLS does not write to what it reads.
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

bool demands_verification(ClientAuth auth) {
  return auth == ClientAuth::kVerifyIfGiven || auth == ClientAuth::kRequireAndVerify;
}

// One of the names that the configuration allows is among the certificate's.
bool has_allowed_name(gnutls_session_t session, const TlsConfig& config) {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  gnutls_x509_crt_t certificate = nullptr;
  if (chain == nullptr || count == 0 || gnutls_x509_crt_init(&certificate) != 0) {
    return false;
  }
  bool allowed = false;
  if (gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) == 0) {
    for (unsigned i = 0; !allowed; ++i) {
      char name[256];
      std::size_t size = sizeof name - 1;
      const int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &size, nullptr);
      if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) {
        continue;
      }
      if (type < 0) {
        break;
      }
      allowed = std::find(config.client_sans.begin(), config.client_sans.end(),
                          std::string(name, size)) != config.client_sans.end();
    }
  }
  gnutls_x509_crt_deinit(certificate);
  return allowed;
}

// Not 0 ends the handshake.
int judge_client(gnutls_session_t session) {
  const auto& config = *static_cast<const TlsConfig*>(gnutls_session_get_ptr(session));
  unsigned count = 0;
  if (gnutls_certificate_get_peers(session, &count) == nullptr || count == 0) {
    const bool required = config.client_auth == ClientAuth::kRequireAny ||
                          config.client_auth == ClientAuth::kRequireAndVerify;
    return required ? -1 : 0;
  }
  if (!demands_verification(config.client_auth)) {
    return 0;
  }
  unsigned status = 0;
  if (gnutls_certificate_verify_peers2(session, &status) != 0 || status != 0) {
    return -1;
  }
  return config.client_sans.empty() || has_allowed_name(session, config) ? 0 : -1;
}

}  // namespace

TlsSettings::~TlsSettings() {
  if (credentials_ != nullptr) {
    gnutls_certificate_free_credentials(credentials_);
  }
  if (priority_ != nullptr) {
    gnutls_priority_deinit(priority_);
  }
}

Result<std::shared_ptr<const TlsSettings>> TlsSettings::make(TlsConfig config) {
  const std::shared_ptr<TlsSettings> settings(new TlsSettings(std::move(config)));
  PT_TRY(settings->load());
  return std::shared_ptr<const TlsSettings>(settings);
}

Status TlsSettings::load() {
  if (const int error = gnutls_certificate_allocate_credentials(&credentials_); error != 0) {
    return fail(ErrorCode::kInternal, "TLS: {}", gnutls_strerror(error));
  }
  const gnutls_datum_t cert = datum(config_.cert_pem);
  const gnutls_datum_t key = datum(config_.key_pem);
  if (const int error =
          gnutls_certificate_set_x509_key_mem(credentials_, &cert, &key, GNUTLS_X509_FMT_PEM);
      error < 0) {
    return fail(ErrorCode::kUsage,
                "the TLS certificate and key cannot be used: {}; both must be PEM, and the key the "
                "certificate's own, without a passphrase",
                gnutls_strerror(error));
  }
  if (demands_verification(config_.client_auth) && config_.client_ca_pem.empty()) {
    return fail(ErrorCode::kUsage, "verifying client certificates needs a client CA");
  }
  if (!config_.client_ca_pem.empty()) {
    const gnutls_datum_t authorities = datum(config_.client_ca_pem);
    const int found =
        gnutls_certificate_set_x509_trust_mem(credentials_, &authorities, GNUTLS_X509_FMT_PEM);
    if (found <= 0) {
      return fail(ErrorCode::kUsage, "the client CA holds no certificate in PEM: {}",
                  found < 0 ? gnutls_strerror(found) : "it is empty");
    }
  }
  const char* position = nullptr;
  if (const int error = gnutls_priority_init(&priority_, config_.priorities.c_str(), &position);
      error != 0) {
    return fail(ErrorCode::kUsage, "TLS versions, ciphers or curves: {} at \"{}\"",
                gnutls_strerror(error), position == nullptr ? "" : position);
  }
  return {};
}

void TlsSettings::apply(gnutls_session_int* session) const {
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_);
  gnutls_priority_set(session, priority_);
  if (config_.client_auth == ClientAuth::kNone) {
    return;
  }
  const bool required = config_.client_auth == ClientAuth::kRequireAny ||
                        config_.client_auth == ClientAuth::kRequireAndVerify;
  gnutls_certificate_server_set_request(session,
                                        required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
  gnutls_session_set_ptr(session, const_cast<TlsConfig*>(&config_));
  gnutls_session_set_verify_function(session, judge_client);
}

}  // namespace powertrace
