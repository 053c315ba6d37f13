// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics_endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <sys/resource.h>

#include <unistd.h>

#include "base/clock.hpp"
#include "base/sysroot.hpp"
#include "base/text.hpp"

namespace powertrace {
namespace {

// Calls `each(value, q)` for every element of "a;q=0.5, b".
template <typename Each>
void for_each_choice(std::string_view header, Each each) {
  while (!header.empty()) {
    std::string_view item = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), item.size() + 1));
    double q = 1;
    const std::string_view value = trimmed(item.substr(0, item.find(';')));
    while (item.find(';') != std::string_view::npos) {
      item.remove_prefix(item.find(';') + 1);
      const std::string_view parameter = trimmed(item.substr(0, item.find(';')));
      if (parameter.starts_with("q=")) {
        std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), q);
      }
    }
    each(value, q);
  }
}

double process_start_seconds() {
  const double uptime = static_cast<double>(boottime_ns()) / 1e9;
  const double now = static_cast<double>(realtime_ns()) / 1e9;
  const auto stat = read_file("/proc/self/stat");
  const std::size_t comm_end = stat ? stat->rfind(')') : std::string::npos;
  if (comm_end == std::string::npos) {
    return 0;
  }
  constexpr int kStartField = 20;  // counted from the state, which follows the comm
  std::string_view rest = std::string_view(*stat).substr(comm_end + 2);
  for (int i = 1; i < kStartField; ++i) {
    rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
  }
  double ticks = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
  return now - uptime + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t resident_bytes() {
  const auto text = read_file("/proc/self/statm");
  std::uint64_t pages = 0;
  if (text) {
    const std::size_t space = text->find(' ');
    std::from_chars(text->data() + std::min(text->size(), space + 1), text->data() + text->size(),
                    pages);
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MetricFormat negotiate_format(std::string_view accept) {
  double open_metrics = 0;
  double text = 0;
  for_each_choice(accept, [&](std::string_view type, double q) {
    if (type == "application/openmetrics-text") {
      open_metrics = std::max(open_metrics, q);
    } else if (type == "text/plain" || type == "text/*" || type == "*/*") {
      text = std::max(text, q);
    }
  });
  return open_metrics > 0 && open_metrics >= text ? MetricFormat::kOpenMetrics
                                                  : MetricFormat::kText;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool accepted = false;
  for_each_choice(accept_encoding, [&](std::string_view coding, double q) {
    accepted = accepted || (coding == "gzip" && q > 0);
  });
  return accepted;
}

MetricsEndpoint::MetricsEndpoint(const Board& board, std::function<ServerStats()> stats)
    : board_(board), stats_(std::move(stats)) {}

ProgramStats MetricsEndpoint::program_stats() {
  static const double start_seconds = process_start_seconds();
  ProgramStats stats;
  stats.http = stats_();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  stats.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  stats.start_seconds = start_seconds;
  stats.resident_bytes = resident_bytes();
  if (const auto fds = list_dir("/proc/self/fd")) {
    stats.open_fds = fds->size();
  }
  const std::lock_guard lock(stats_mutex_);
  stats.pages = pages_;
  stats.page_seconds = page_seconds_;
  return stats;
}

std::shared_ptr<const std::string> MetricsEndpoint::page(const PublishedPtr& from,
                                                         MetricFormat format,
                                                         bool packed) {
  Slot& slot = slots_[(format == MetricFormat::kOpenMetrics ? 2U : 0U) + (packed ? 1U : 0U)];
  // Two who ask at once get one page.
  const std::lock_guard lock(slot.mutex);
  if (slot.made_from == from) {
    return slot.body;
  }
  const std::uint64_t begin_ns = monotonic_ns();
  std::string text =
      metrics_page(*from->account, *from->page, program_stats(), format, std::move(slot.text));
  if (packed) {
    slot.body = std::make_shared<const std::string>(slot.gzip.pack(text));
    slot.text = std::move(text);  // its memory, for the next page
  } else {
    slot.body = std::make_shared<const std::string>(std::move(text));
    slot.text = {};
  }
  slot.made_from = from;
  const std::lock_guard stats_lock(stats_mutex_);
  ++pages_;
  page_seconds_ += static_cast<double>(monotonic_ns() - begin_ns) / 1e9;
  return slot.body;
}

Response MetricsEndpoint::answer(const Request& request) {
  const PublishedPtr current = board_.read();
  if (!current) {
    Response response = problem(503, "there is no snapshot yet; ask again in a second");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  const MetricFormat format = negotiate_format(request.header("accept"));
  const bool packed = accepts_gzip(request.header("accept-encoding"));
  Response response;
  response.content_type = format == MetricFormat::kOpenMetrics
                              ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                              : "text/plain; version=0.0.4; charset=utf-8";
  response.body = page(current, format, packed);
  response.headers = {{"Vary", "Accept, Accept-Encoding"}};
  if (packed) {
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
  return response;
}

}  // namespace powertrace
