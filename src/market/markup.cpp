// SPDX-License-Identifier: Apache-2.0
#include "market/markup.hpp"

#include <limits>

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>

#include "base/text.hpp"

namespace powertrace {
namespace {

// libxml2 prints errors unless it is told otherwise per call; its global state is set up once.
void initialise() {
  static const bool done = [] {
    xmlInitParser();
    return true;
  }();
  (void)done;
}

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

bool fits(std::string_view text) {
  return text.size() < static_cast<std::size_t>(std::numeric_limits<int>::max());
}

}  // namespace

Result<Markup> Markup::xml(std::string_view source, std::string_view text) {
  initialise();
  if (trimmed(text.substr(0, 4096)).empty()) {
    return fail(ErrorCode::kMalformed, "{}: the answer is empty", source);
  }
  if (text.find("<!DOCTYPE") != std::string_view::npos ||
      text.find("<!ENTITY") != std::string_view::npos) {
    return fail(ErrorCode::kMalformed,
                "{}: the answer defines a document type or entities; it is refused", source);
  }
  xmlDoc* doc = fits(text) ? xmlReadMemory(text.data(), static_cast<int>(text.size()), "", nullptr,
                                           XML_PARSE_NONET | XML_PARSE_NOERROR |
                                               XML_PARSE_NOWARNING | XML_PARSE_NOCDATA)
                           : nullptr;
  if (doc == nullptr) {
    return fail(ErrorCode::kMalformed, "{}: the answer is not XML; it may be cut short", source);
  }
  return Markup(doc);
}

Result<Markup> Markup::html(std::string_view source, std::string_view text) {
  initialise();
  if (text.find('<') == std::string_view::npos) {
    return fail(ErrorCode::kMalformed, "{}: this is not a web page", source);
  }
  htmlDocPtr doc = fits(text)
                       ? htmlReadMemory(text.data(), static_cast<int>(text.size()), "", "UTF-8",
                                        HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_NOERROR |
                                            HTML_PARSE_NOWARNING)
                       : nullptr;
  if (doc == nullptr) {
    return fail(ErrorCode::kMalformed, "{}: this is not a web page", source);
  }
  return Markup(doc);
}

std::string_view node_name(const xmlNode* node) {
  return node->type == XML_ELEMENT_NODE ? view(node->name) : std::string_view{};
}

std::string node_text(const xmlNode* node) {
  if (node == nullptr) {
    return "";
  }
  xmlChar* text = xmlNodeGetContent(node);
  std::string content(trimmed(view(text)));
  xmlFree(text);
  return content;
}

const xmlNode* child(const xmlNode* node, std::string_view name) {
  for (const xmlNode* at = node == nullptr ? nullptr : node->children; at != nullptr;
       at = at->next) {
    if (node_name(at) == name) {
      return at;
    }
  }
  return nullptr;
}

std::string child_text(const xmlNode* node, std::string_view name) {
  return node_text(child(node, name));
}

std::vector<const xmlNode*> children(const xmlNode* node, std::string_view name) {
  std::vector<const xmlNode*> found;
  for (const xmlNode* at = node == nullptr ? nullptr : node->children; at != nullptr;
       at = at->next) {
    if (node_name(at) == name) {
      found.push_back(at);
    }
  }
  return found;
}

std::string attribute(const xmlNode* node, const char* name) {
  xmlChar* text = xmlGetProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string value(view(text));
  xmlFree(text);
  return value;
}

bool has_class(const xmlNode* node, std::string_view name) {
  if (node->type != XML_ELEMENT_NODE) {
    return false;
  }
  const std::string classes = " " + attribute(node, "class") + " ";
  return classes.find(" " + std::string(name) + " ") != std::string::npos;
}

std::vector<const xmlNode*> descendants(const xmlNode* node,
                                        const std::function<bool(const xmlNode*)>& wanted) {
  std::vector<const xmlNode*> found;
  const xmlNode* at = node;
  while (at != nullptr) {
    if (at->type == XML_ELEMENT_NODE && wanted(at)) {
      found.push_back(at);
    }
    if (at->type == XML_ELEMENT_NODE && at->children != nullptr) {
      at = at->children;
      continue;
    }
    while (at != node && at != nullptr && at->next == nullptr) {
      at = at->parent;
    }
    at = at == node || at == nullptr ? nullptr : at->next;
  }
  return found;
}

}  // namespace powertrace
