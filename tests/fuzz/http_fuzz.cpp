// SPDX-License-Identifier: Apache-2.0
//
// What strangers send and what their processes are called: addresses, headers, credentials, label
// values, patterns. Nothing may crash, and a label list stays one line of valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "serve/basic_auth.hpp"
#include "serve/labels.hpp"
#include "serve/listener.hpp"
#include "serve/metrics_endpoint.hpp"
#include "serve/router.hpp"
#include "serve/workload_filter.hpp"

using namespace powertrace;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const Router router = [] {
    Router made;
    made.add("GET", "/api/v1/{a}/{b}", [](const Request&) { return text_response("x"); });
    return made;
  }();
  Request request;
  request.method = "GET";
  if (parse_target(text, request)) {
    require(!request.segments.empty());
    (void)router.handle(request);
  }
  (void)negotiate_format(text);
  (void)accepts_gzip(text);
  (void)parse_basic(text);
  (void)parse_listen_address(text);
  (void)parse_filter_rule(text);
  const std::size_t half = size / 2;
  (void)glob_match(text.substr(0, half), text.substr(half));
  const std::string clean = clean_text(text);
  require(clean_text(clean) == clean);
  const std::string list = label_list({{"a", text}});
  require(list.find('\n') == std::string::npos);
  require(clean_text(list) == list);
  return 0;
}
