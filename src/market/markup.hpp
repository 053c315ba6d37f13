// SPDX-License-Identifier: Apache-2.0
//
// XML and HTML as a tree of nodes. For the parsers only; it brings in libxml2. Entities are never
// expanded, nothing is ever fetched, and depth is bounded by the library (256).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libxml/tree.h>

#include "base/result.hpp"

namespace powertrace {

class Markup {
 public:
  // kMalformed also for a document type: no market document has one, and it is where attacks are.
  static Result<Markup> xml(std::string_view source, std::string_view text);
  // Takes what browsers take.
  static Result<Markup> html(std::string_view source, std::string_view text);

  [[nodiscard]] const xmlNode* root() const { return xmlDocGetRootElement(doc_.get()); }

 private:
  struct Free {
    void operator()(xmlDoc* doc) const { xmlFreeDoc(doc); }
  };
  explicit Markup(xmlDoc* doc) : doc_(doc) {}

  std::unique_ptr<xmlDoc, Free> doc_;
};

// Names without their namespace.
std::string_view node_name(const xmlNode* node);
// All text below, without blanks at the ends.
std::string node_text(const xmlNode* node);
// The first child of this name; nullptr: none, also if `node` is nullptr.
const xmlNode* child(const xmlNode* node, std::string_view name);
std::string child_text(const xmlNode* node, std::string_view name);
std::vector<const xmlNode*> children(const xmlNode* node, std::string_view name);
std::string attribute(const xmlNode* node, const char* name);
bool has_class(const xmlNode* node, std::string_view name);
// In document order, `node` included.
std::vector<const xmlNode*> descendants(const xmlNode* node,
                                        const std::function<bool(const xmlNode*)>& wanted);

}  // namespace powertrace
