// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include <curl/curl.h>

#include "base/sysroot.hpp"

namespace powertrace {
namespace {

constexpr std::size_t kMaxHeaderBytes = std::size_t{256} << 10U;
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr const char* kProtocols = "http,https";

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

// One exchange, redirects not followed.
struct Exchange {
  const HttpRequest& request;
  HttpResponse response;
  std::size_t header_bytes = 0;
  bool too_large = false;
  bool stopped = false;  // by on_body

  void on_header(std::string_view line) {
    header_bytes += line.size();
    if (line.starts_with("HTTP/")) {  // also after "100 Continue"
      response.headers.clear();
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return;
    }
    std::string_view value = line.substr(colon + 1);
    const std::size_t first = value.find_first_not_of(" \t");
    const std::size_t last = value.find_last_not_of(" \t\r\n");
    value = first == std::string_view::npos || last == std::string_view::npos
                ? std::string_view{}
                : value.substr(first, last + 1 - first);
    response.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }

  bool on_data(long status, std::string_view data) {
    if (request.on_body && status >= 200 && status < 300) {
      stopped = !request.on_body(data);
      return !stopped;
    }
    too_large = data.size() > request.max_response_bytes - response.body.size();
    if (!too_large) {
      response.body.append(data);
    }
    return !too_large;
  }
};

struct Context {
  Exchange* exchange;
  CURL* handle;
};

// libcurl's callbacks must not throw through C; any short count ends the transfer.
std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto* context = static_cast<Context*>(user);
  try {
    context->exchange->on_header({data, size * count});
  } catch (...) {
    return 0;
  }
  context->exchange->too_large = context->exchange->header_bytes > kMaxHeaderBytes;
  return context->exchange->too_large ? 0 : size * count;
}

std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto* context = static_cast<Context*>(user);
  long status = 0;
  curl_easy_getinfo(context->handle, CURLINFO_RESPONSE_CODE, &status);
  try {
    return context->exchange->on_data(status, {data, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;
  }
}

int progress_callback(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<Context*>(user)->exchange->request.stop.stop_requested() ? 1 : 0;
}

Status check(const HttpRequest& request) {
  if (has_control(request.url) || request.url.find(' ') != std::string::npos) {
    return fail(ErrorCode::kUsage, "{}: a URL may not contain blanks or control characters",
                redact_url(request.url.substr(0, request.url.find_first_of(" \r\n\t"))));
  }
  for (const HttpHeader& header : request.headers) {
    if (header.name.empty() || has_control(header.name) || has_control(header.value) ||
        header.name.find(':') != std::string::npos) {
      return fail(ErrorCode::kUsage, "{}: the header \"{}\" has characters that HTTP forbids",
                  redact_url(request.url), has_control(header.name) ? "" : header.name);
    }
  }
  return {};
}

Result<std::string> bearer_token(const HttpRequest& request) {
  std::string token = request.bearer_token;
  if (!request.bearer_token_file.empty()) {
    auto read = read_trimmed(request.bearer_token_file);
    if (!read) {
      return tl::make_unexpected(with_context(read.error(), "bearer token"));
    }
    token = std::move(*read);
    if (token.empty()) {
      return fail(ErrorCode::kMalformed, "bearer token: {} is empty", request.bearer_token_file);
    }
  }
  if (has_control(token)) {
    return fail(ErrorCode::kMalformed,
                "bearer token{}: it has control characters or more than one line",
                request.bearer_token_file.empty() ? "" : ": " + request.bearer_token_file);
  }
  return token;
}

Result<CurlList> header_list(const HttpRequest& request) {
  // Without it libcurl asks "may I?" before a body of 1 MiB and waits for the answer.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  CurlList owner(list);
  for (const HttpHeader& header : request.headers) {
    const std::string line =
        header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    curl_slist* longer = curl_slist_append(owner.get(), line.c_str());
    if (longer == nullptr) {
      return fail(ErrorCode::kInternal, "out of memory");
    }
    (void)owner.release();
    owner.reset(longer);
  }
  return owner;
}

// 0 means "no limit" to libcurl, so only 0 may become 0.
long milliseconds(std::uint64_t time_ns) {
  return static_cast<long>((time_ns + kNsPerMs - 1) / kNsPerMs);
}

// Options are set without looking at their results: they fail only when memory is out, and then
// the transfer fails as well. Those on which safety depends are looked at.
Status set_transport(CURL* handle, const HttpRequest& request) {
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout_ns));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout_ns));
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "powertrace");
  if (!request.proxy_from_environment) {
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
  }
  const HttpTls& tls = request.tls;
  bool safe = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, kProtocols) == CURLE_OK;
  safe = safe && curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L) == CURLE_OK;
  safe = safe && curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L) == CURLE_OK;
  safe = safe && curl_easy_setopt(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
  if (!tls.ca_file.empty()) {
    safe = safe && curl_easy_setopt(handle, CURLOPT_CAINFO, tls.ca_file.c_str()) == CURLE_OK;
  }
  if (!tls.client_cert.empty()) {
    const std::string& key = tls.client_key.empty() ? tls.client_cert : tls.client_key;
    curl_easy_setopt(handle, CURLOPT_SSLCERT, tls.client_cert.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, key.c_str());
  }
  if (!safe) {
    return fail(ErrorCode::kUnsupported,
                "this libcurl cannot be told to use HTTP and TLS 1.2 only");
  }
  return {};
}

void set_content(CURL* handle, const HttpRequest& request, const std::string& token) {
  if (request.method != HttpMethod::kGet) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method == HttpMethod::kPatch) {
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "PATCH");
  }
  if (!token.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, token.c_str());
  } else if (!request.user.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(handle, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, request.password.c_str());
  }
}

HttpFailure classify(CURLcode code, const Exchange& exchange) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::kTimeout;
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::kRefused;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::kDns;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return HttpFailure::kTls;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return HttpFailure::kTruncated;
    case CURLE_ABORTED_BY_CALLBACK:
      return HttpFailure::kCancelled;
    case CURLE_WRITE_ERROR:
      return exchange.too_large ? HttpFailure::kTooLarge : HttpFailure::kOther;
    default:
      return HttpFailure::kOther;
  }
}

tl::unexpected<Error> fail_http(HttpFailure failure, std::string message) {
  return tl::unexpected<Error>(
      Error{ErrorCode::kIo, static_cast<int>(failure), std::move(message)});
}

// libcurl's own text is used where it says more than the class: it may name hosts and
// certificates, never headers or the query.
tl::unexpected<Error> describe(CURLcode code, const Exchange& exchange, const char* detail) {
  const HttpRequest& request = exchange.request;
  const std::string where = redact_url(request.url);
  const HttpFailure failure = classify(code, exchange);
  switch (failure) {
    case HttpFailure::kTimeout:
      return fail_http(
          failure,
          fmt::format("{}: no (whole) answer in time ({} ms to connect, {} ms "
                      "in all)",
                      where, request.connect_timeout_ns / kNsPerMs, request.timeout_ns / kNsPerMs));
    case HttpFailure::kRefused:
      return fail_http(failure,
                       fmt::format("{}: nobody takes the connection; is it running, and is the "
                                   "address right?",
                                   where));
    case HttpFailure::kDns:
      return fail_http(failure, fmt::format("{}: the host name is unknown", where));
    case HttpFailure::kTls:
      return fail_http(failure, fmt::format("{}: no trusted TLS connection: {}", where, detail));
    case HttpFailure::kTooLarge:
      return fail_http(failure, fmt::format("{}: the answer is larger than {} bytes", where,
                                            exchange.header_bytes > kMaxHeaderBytes
                                                ? kMaxHeaderBytes
                                                : request.max_response_bytes));
    case HttpFailure::kTruncated:
      return fail_http(failure, fmt::format("{}: the connection ended before the answer", where));
    case HttpFailure::kCancelled:
      return fail_http(failure, fmt::format("{}: cancelled", where));
    default:
      break;
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return fail(ErrorCode::kUsage, "{}: not an http or https URL", where);
  }
  return fail_http(failure, fmt::format("{}: {}", where, curl_easy_strerror(code)));
}

struct Answer {
  HttpResponse response;
  std::string redirect;  // absolute URL; empty: none
};

Result<Answer> exchange_once(const HttpRequest& request) {
  PT_TRY(check(request));
  PT_ASSIGN(const std::string token, bearer_token(request));
  PT_ASSIGN(const CurlList headers, header_list(request));
  const CurlHandle handle(curl_easy_init());
  if (!handle) {
    return fail(ErrorCode::kInternal, "libcurl cannot be initialised");
  }
  Exchange exchange{request, {}};
  Context context{&exchange, handle.get()};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(handle.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, &header_callback);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &context);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &body_callback);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &context);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, &progress_callback);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &context);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
  PT_TRY(set_transport(handle.get(), request));
  set_content(handle.get(), request, token);

  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK && !exchange.stopped) {
    return describe(code, exchange, detail.data());
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  const char* redirect = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &redirect);
  return Answer{std::move(exchange.response), redirect == nullptr ? "" : redirect};
}

// "https://host:1": what credentials belong to.
std::string origin(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  std::string text;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return text;
  }
  for (const CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* value = nullptr;
    if (curl_url_get(parsed.get(), part, &value, CURLU_DEFAULT_PORT) == CURLUE_OK) {
      text += std::string(value) + " ";
      curl_free(value);
    }
  }
  return text;
}

void forget_credentials(HttpRequest& request) {
  request.headers.clear();
  request.bearer_token.clear();
  request.bearer_token_file.clear();
  request.user.clear();
  request.password.clear();
  request.tls.client_cert.clear();
  request.tls.client_key.clear();
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (same_text(header.name, name)) {
      return header.value;
    }
  }
  return {};
}

HttpFailure http_failure(const Error& error) {
  return error.code == ErrorCode::kIo ? static_cast<HttpFailure>(error.sys_errno)
                                      : HttpFailure::kNone;
}

Result<HttpResponse> http_send(const HttpRequest& request) {
  // Once, before any thread uses libcurl.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) {
    return fail(ErrorCode::kInternal, "libcurl: {}", curl_easy_strerror(initialised));
  }
  HttpRequest current = request;
  for (int redirects = 0;; ++redirects) {
    PT_ASSIGN(Answer answer, exchange_once(current));
    if (answer.redirect.empty() || current.method != HttpMethod::kGet) {
      return std::move(answer.response);
    }
    if (redirects >= request.max_redirects) {
      return fail_http(HttpFailure::kRedirects,
                       fmt::format("{}: redirected more than {} times", redact_url(request.url),
                                   request.max_redirects));
    }
    if (current.url.starts_with("https:") && !answer.redirect.starts_with("https:")) {
      return fail_http(HttpFailure::kRedirects,
                       fmt::format("{}: redirects to {}, out of TLS", redact_url(request.url),
                                   redact_url(answer.redirect)));
    }
    if (origin(current.url) != origin(answer.redirect)) {
      forget_credentials(current);
    }
    current.url = std::move(answer.redirect);
  }
}

std::string redact_url(std::string_view url) {
  std::string text(url.substr(0, url.find_first_of("?#")));
  const std::size_t scheme = text.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t slash = text.find('/', host);
  const std::size_t at = text.rfind('@', slash);
  if (at != std::string::npos && at >= host) {
    text.erase(host, at + 1 - host);
  }
  return text.size() < url.size() && url.find('?') != std::string_view::npos ? text + "?..." : text;
}

std::string url_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace powertrace
