// SPDX-License-Identifier: Apache-2.0
#include "serve/web_page.hpp"

#include "serve/web_files.hpp"

namespace powertrace {
namespace {

// Nothing from elsewhere, nothing inline, no frame around it.
constexpr const char* kContentSecurity =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void add_file(Router& router, std::string_view path, std::string_view text, const char* type) {
  Response file = text_response(std::string(text), type);
  file.headers = {{"Content-Security-Policy", kContentSecurity},
                  {"Referrer-Policy", "no-referrer"},
                  {"Cache-Control", "no-cache"}};
  router.add("GET", path, [file](const Request&) { return file; });
}

}  // namespace

void add_page_files(Router& router) {
  add_file(router, "/common.css", web::kCommonStyle, "text/css; charset=utf-8");
  add_file(router, "/common.js", web::kCommonScript, "text/javascript; charset=utf-8");
}

void add_live_page(Router& router) {
  add_file(router, "/", web::kPage, "text/html; charset=utf-8");
  add_file(router, "/page.css", web::kStyle, "text/css; charset=utf-8");
  add_file(router, "/page.js", web::kScript, "text/javascript; charset=utf-8");
}

void add_cost_page(Router& router) {
  add_file(router, "/cost", web::kCostPage, "text/html; charset=utf-8");
  add_file(router, "/cost.css", web::kCostStyle, "text/css; charset=utf-8");
  add_file(router, "/cost.js", web::kCostScript, "text/javascript; charset=utf-8");
}

bool is_cost_page(std::string_view path) {
  return path == "/cost" || path == "/cost.css" || path == "/cost.js" || path == "/common.css" ||
         path == "/common.js";
}

}  // namespace powertrace
