// SPDX-License-Identifier: Apache-2.0
#include "cli/market/chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "market/local_time.hpp"

namespace powertrace {
namespace {

constexpr int kRows = 8;
constexpr int kEighths = 8;
constexpr std::array kBlocks{" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                             "\u2585", "\u2586", "\u2587", "\u2588"};

// Means of equal shares of the time, so that long and short slots take their due width.
std::vector<double> columns_of(std::span<const Slot> slots, double scale, std::size_t width) {
  const std::int64_t from_s = slots.front().start_s;
  const std::int64_t length_s = slots.back().end_s - from_s;
  std::int64_t shortest_s = length_s;
  for (const Slot& slot : slots) {
    shortest_s = std::min(shortest_s, slot.length_s());
  }
  const auto count =
      static_cast<std::int64_t>(std::min(width, static_cast<std::size_t>(length_s / shortest_s)));
  std::vector<double> columns;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin_s = from_s + length_s * i / count;
    const std::int64_t end_s = from_s + length_s * (i + 1) / count;
    double sum = 0;
    double time_s = 0;
    for (const Slot& slot : slots) {
      const std::int64_t part_s = std::min(slot.end_s, end_s) - std::max(slot.start_s, begin_s);
      if (part_s > 0) {
        sum += slot.value * scale * static_cast<double>(part_s);
        time_s += static_cast<double>(part_s);
      }
    }
    columns.push_back(time_s > 0 ? sum / time_s : 0);
  }
  return columns;
}

}  // namespace

std::string series_table(std::span<const Slot> slots, const TimeZone& zone, double scale) {
  std::string text;
  std::int64_t hour_s = -1;
  for (const Slot& slot : slots) {
    const LocalTime time = local_time(zone, slot.start_s);
    const std::int64_t in_hour_s = (slot.start_s + time.offset_s) % 3600;
    if (slot.start_s - in_hour_s != hour_s) {
      hour_s = slot.start_s - in_hour_s;
      text += fmt::format("{}{} {:02}:{:02}", text.empty() ? "" : "\n", format_date(time.date),
                          time.minute / 60, slot.length_s() < 3600 ? 0 : time.minute % 60);
    }
    text += fmt::format(" {:>9.2f}", slot.value * scale);
  }
  return text + "\n";
}

std::string series_chart(std::span<const Slot> slots,
                         double scale,
                         std::size_t width,
                         bool blocks) {
  if (slots.empty()) {
    return "";
  }
  const std::vector<double> columns = columns_of(slots, scale, width);
  const double top = std::max(0.0, *std::max_element(columns.begin(), columns.end()));
  const double bottom = std::min(0.0, *std::min_element(columns.begin(), columns.end()));
  const double step = top > bottom ? (top - bottom) / kRows : 1;
  std::string text;
  for (int row = kRows - 1; row >= 0; --row) {
    const double low = bottom + step * row;
    const bool labelled = row == kRows - 1 || row == 0;
    text +=
        labelled ? fmt::format("{:>9.2f} |", row == 0 ? bottom : top) : std::string(9, ' ') + " |";
    for (const double value : columns) {
      // How much of this row the bar between 0 and the value covers, from below.
      const double covered = value >= 0 ? (low + step <= 0 ? 0 : (value - low) / step)
                                        : (low >= 0 || value > low + step / 2 ? 0 : 1);
      const int eighths = static_cast<int>(std::lround(std::clamp(covered, 0.0, 1.0) * kEighths));
      text += blocks                    ? kBlocks[static_cast<std::size_t>(eighths)]
              : eighths >= kEighths / 2 ? "#"
                                        : " ";
    }
    text += "\n";
  }
  return text;
}

}  // namespace powertrace
