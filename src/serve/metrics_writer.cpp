// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics_writer.hpp"

#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace powertrace {
namespace {

constexpr std::string_view kTotal = "_total";
constexpr std::uint64_t kBillion = 1'000'000'000;

std::string_view type_name(MetricType type) {
  return type == MetricType::kCounter ? "counter" : "gauge";
}

}  // namespace

void MetricsWriter::family(const MetricFamily& family) {
  name_ = family.name;
  std::string_view shown = family.name;
  if (family.type == MetricType::kCounter && shown.ends_with(kTotal)) {
    const std::string_view bare = shown.substr(0, shown.size() - kTotal.size());
    created_name_ = std::string(bare) + "_created";
    if (format_ == MetricFormat::kOpenMetrics) {
      shown = bare;  // there the family is named without the suffix
    }
  }
  fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", shown, family.help,
                 shown, type_name(family.type));
}

void MetricsWriter::begin(std::string_view name, std::string_view labels, std::string_view more) {
  out_ += name;
  if (!labels.empty() || !more.empty()) {
    out_ += '{';
    out_ += labels;
    if (!labels.empty() && !more.empty()) {
      out_ += ',';
    }
    out_ += more;
    out_ += '}';
  }
  out_ += ' ';
}

void MetricsWriter::append_decimal(std::uint64_t whole, std::uint64_t fraction, int digits) {
  std::array<char, 32> text;
  char* end = std::to_chars(text.data(), text.data() + text.size(), whole).ptr;
  if (fraction != 0) {
    *end++ = '.';
    for (int i = digits - 1; i >= 0; --i) {
      end[i] = static_cast<char>('0' + fraction % 10);
      fraction /= 10;
    }
    end += digits;
    while (end[-1] == '0') {
      --end;
    }
  }
  out_.append(text.data(), end);
}

void MetricsWriter::billionths(std::string_view labels, std::string_view more, std::int64_t value) {
  begin(name_, labels, more);
  if (value < 0) {
    out_ += '-';
  }
  const auto size =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  append_decimal(size / kBillion, size % kBillion, 9);
  out_ += '\n';
}

void MetricsWriter::integer(std::string_view labels, std::string_view more, std::int64_t value) {
  begin(name_, labels, more);
  std::array<char, 21> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  out_.append(text.data(), written.ptr);
  out_ += '\n';
}

void MetricsWriter::real(std::string_view labels, std::string_view more, double value) {
  begin(name_, labels, more);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::created(std::string_view labels,
                            std::string_view more,
                            std::uint64_t created_ms) {
  if (format_ != MetricFormat::kOpenMetrics) {
    return;
  }
  begin(created_name_, labels, more);
  append_decimal(created_ms / 1000, created_ms % 1000, 3);
  out_ += '\n';
}

void MetricsWriter::finish() {
  if (format_ == MetricFormat::kOpenMetrics) {
    out_ += "# EOF\n";
  }
}

}  // namespace powertrace
