// SPDX-License-Identifier: Apache-2.0
#include "render/findings.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/figures.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

std::string_view status_name(FindingStatus status) {
  switch (status) {
    case FindingStatus::kOk:
      return "ok";
    case FindingStatus::kLimited:
      return "limited";
    case FindingStatus::kMissing:
      break;
  }
  return "missing";
}

std::string_view colour_of(FindingStatus status) {
  switch (status) {
    case FindingStatus::kOk:
      return "\x1b[32m";
    case FindingStatus::kLimited:
      return "\x1b[33m";
    case FindingStatus::kMissing:
      break;
  }
  return "\x1b[31m";
}

std::string painted(std::string_view text, FindingStatus status, bool colour) {
  return colour ? fmt::format("{}{}\x1b[0m", colour_of(status), text) : std::string(text);
}

// A text of several lines, its later lines below its first.
std::string indented(const std::string& text, std::size_t columns) {
  std::string result;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    result += printable(std::string_view(text).substr(begin, end - begin)) + "\n" +
              std::string(columns, ' ');
    begin = end + 1;
  }
  return result + printable(std::string_view(text).substr(begin));
}

std::string verdict(std::span<const Finding> findings) {
  const auto count = [&](FindingStatus status) {
    return std::count_if(findings.begin(), findings.end(),
                         [=](const Finding& finding) { return finding.status == status; });
  };
  const auto limited = count(FindingStatus::kLimited);
  const auto missing = count(FindingStatus::kMissing);
  if (missing > 0) {
    return fmt::format("powertrace cannot work here: {} missing, {} limited", missing, limited);
  }
  if (limited > 0) {
    return fmt::format("powertrace works here with {} {}", limited,
                       limited == 1 ? "limit" : "limits");
  }
  return "powertrace works here";
}

}  // namespace

FindingStatus overall_status(std::span<const Finding> findings) {
  FindingStatus worst = FindingStatus::kOk;
  for (const Finding& finding : findings) {
    worst = std::max(worst, finding.status);
  }
  return worst;
}

std::string findings_text(std::span<const Finding> findings, bool colour) {
  std::size_t id_width = 0;
  for (const Finding& finding : findings) {
    id_width = std::max(id_width, finding.id.size());
  }
  constexpr std::size_t kStatusWidth = 7;
  const std::size_t margin = kStatusWidth + 2 + id_width + 2;
  std::string text;
  for (const Finding& finding : findings) {
    const std::string_view status = status_name(finding.status);
    text += fmt::format("{}{:{}}  {:{}}  {}\n", painted(status, finding.status, colour), "",
                        kStatusWidth - status.size(), finding.id, id_width,
                        indented(finding.what, margin));
    if (!finding.why.empty()) {
      text += fmt::format("{:{}}{}\n", "", margin, indented(finding.why, margin));
    }
    if (!finding.remedy.empty()) {
      text += fmt::format("{:{}}-> {}\n", "", margin, indented(finding.remedy, margin + 3));
    }
  }
  return text + "\n" + painted(verdict(findings), overall_status(findings), colour) + "\n";
}

std::string findings_json(std::span<const Finding> findings) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"id", finding.id},
                    {"status", status_name(finding.status)},
                    {"what", finding.what},
                    {"why", text_or_null(finding.why)},
                    {"remedy", text_or_null(finding.remedy)}});
  }
  const Json document{{"schema", "powertrace.doctor/1"},
                      {"status", status_name(overall_status(findings))},
                      {"findings", std::move(list)}};
  // Names from sysfs may be anything; what is not UTF-8 is replaced, never thrown at.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace powertrace
