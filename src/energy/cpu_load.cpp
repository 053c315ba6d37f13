// SPDX-License-Identifier: Apache-2.0
#include "energy/cpu_load.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <numeric>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

namespace powertrace {
namespace {

constexpr int kMaxCpus = 1 << 16;
constexpr std::size_t kLineBytes = 256;  // "cpuN" and ten 64-bit columns

struct StatLine {
  int cpu = -1;  // -1: the sum line
  std::uint64_t rest_ticks = 0;
  std::uint64_t all_ticks = 0;
};

// "cpu3 user nice system idle iowait irq softirq steal guest guest_nice"; guest is inside user.
std::optional<StatLine> parse_line(std::string_view text) {
  constexpr std::size_t kIdle = 3;
  constexpr std::size_t kIowait = 4;
  constexpr std::size_t kSteal = 7;
  if (!text.starts_with("cpu")) {
    return std::nullopt;
  }
  StatLine line;
  const char* at = text.data() + 3;
  const char* end = text.data() + text.size();
  if (at < end && *at != ' ') {
    const auto parsed = std::from_chars(at, end, line.cpu);
    if (parsed.ec != std::errc() || line.cpu < 0 || line.cpu >= kMaxCpus) {
      return std::nullopt;
    }
    at = parsed.ptr;
  }
  std::size_t column = 0;
  for (; column <= kSteal; ++column) {
    at = std::find_if(at, end, [](char c) { return c != ' '; });
    std::uint64_t ticks = 0;
    const auto parsed = std::from_chars(at, end, ticks);
    if (parsed.ec != std::errc()) {
      break;
    }
    at = parsed.ptr;
    line.all_ticks += ticks;
    line.rest_ticks += column == kIdle || column == kIowait || column == kSteal ? ticks : 0;
  }
  return column > kIdle ? std::optional(line) : std::nullopt;
}

}  // namespace

Result<CpuLoad> CpuLoad::open(const SysRoot& root, std::uint64_t now_ns) {
  CpuLoad load;
  const std::string path = root.proc("stat");
  load.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!load.fd_.valid()) {
    return fail_errno(errno, "cannot open {}", path);
  }
  const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  load.tick_ns_ = 1'000'000'000U / static_cast<std::uint64_t>(std::max(ticks_per_second, 1L));
  load.find_packages(root);
  load.anchor_.cpus = load.latest_.cpus;
  if (const int error = load.read_sample(now_ns, load.anchor_); error != 0) {
    return fail_errno(error, "cannot use {}", path);
  }
  load.online_ = load.anchor_.online;
  load.cpu_share_.resize(load.packages_.size());
  load.busy_share_.resize(load.packages_.size());
  load.latest_ = load.anchor_;
  load.measure_packages();
  return load;
}

void CpuLoad::find_packages(const SysRoot& root) {
  const std::string base = root.sys("devices/system/cpu");
  std::vector<int> package_of;
  for (const std::string& name : list_dir(base).value_or(std::vector<std::string>{})) {
    int cpu = -1;
    const char* end = name.data() + name.size();
    if (!name.starts_with("cpu") || std::from_chars(name.data() + 3, end, cpu).ptr != end ||
        cpu < 0 || cpu >= kMaxCpus) {
      continue;
    }
    // Absent while the CPU is offline; -1 where the platform does not know: then it is the first.
    const auto text = read_trimmed(base + "/" + name + "/topology/physical_package_id");
    int package = 0;
    if (text) {
      std::from_chars(text->data(), text->data() + text->size(), package);
    }
    package_of.resize(std::max(package_of.size(), static_cast<std::size_t>(cpu) + 1), 0);
    package_of[static_cast<std::size_t>(cpu)] = std::max(package, 0);
  }
  packages_ = package_of;
  std::sort(packages_.begin(), packages_.end());
  packages_.erase(std::unique(packages_.begin(), packages_.end()), packages_.end());
  if (packages_.empty()) {
    packages_.push_back(0);
  }
  const long configured = std::clamp(::sysconf(_SC_NPROCESSORS_CONF), 1L, long{kMaxCpus});
  latest_.cpus.resize(std::max(package_of.size(), static_cast<std::size_t>(configured)));
  for (std::size_t cpu = 0; cpu < package_of.size(); ++cpu) {
    const auto place = std::lower_bound(packages_.begin(), packages_.end(), package_of[cpu]);
    latest_.cpus[cpu].package = static_cast<std::size_t>(place - packages_.begin());
  }
  buffer_.resize((latest_.cpus.size() + 2) * kLineBytes);
}

int CpuLoad::read_sample(std::uint64_t now_ns, Sample& sample) {
  std::size_t size = 0;
  while (size < buffer_.size()) {
    const ssize_t got =
        ::pread(fd_.get(), buffer_.data() + size, buffer_.size() - size, static_cast<off_t>(size));
    if (got < 0) {
      return errno;
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
    // The CPU lines come first; the interrupt lines behind them are long and not needed.
    if (std::string_view(buffer_.data(), size).find("\nintr") != std::string_view::npos) {
      break;
    }
  }
  sample.now_ns = now_ns;
  return parse({buffer_.data(), size}, sample);
}

int CpuLoad::parse(std::string_view text, Sample& sample) const {
  bool have_sum = false;
  sample.online = 0;
  for (Cpu& cpu : sample.cpus) {
    cpu.online = false;
  }
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const auto line = parse_line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (!line) {
      break;
    }
    if (line->cpu < 0) {
      have_sum = true;
      sample.rest_ticks = line->rest_ticks;
      sample.all_ticks = line->all_ticks;
      continue;
    }
    ++sample.online;
    if (static_cast<std::size_t>(line->cpu) < sample.cpus.size()) {
      Cpu& cpu = sample.cpus[static_cast<std::size_t>(line->cpu)];
      cpu.online = true;
      cpu.rest_ticks = line->rest_ticks;
    }
  }
  return have_sum && sample.online > 0 ? 0 : EINVAL;
}

bool CpuLoad::same_cpus() const {
  return anchor_.online == latest_.online &&
         std::equal(anchor_.cpus.begin(), anchor_.cpus.end(), latest_.cpus.begin(),
                    [](const Cpu& a, const Cpu& b) { return a.online == b.online; });
}

// One tick of error at either end, against the CPU time in the interval.
std::uint64_t CpuLoad::horizon_ns() const {
  return std::max(16 * tick_ns_ / online_, 2 * tick_ns_);
}

int CpuLoad::update(std::uint64_t now_ns) {
  const std::uint64_t elapsed_ns = now_ns - anchor_.now_ns;
  if (now_ns <= anchor_.now_ns || (known_ && elapsed_ns < horizon_ns())) {
    return 0;
  }
  if (const int error = read_sample(now_ns, latest_); error != 0) {
    return error;
  }
  online_ = latest_.online;
  if (same_cpus()) {
    if (latest_.all_ticks == anchor_.all_ticks) {
      return 0;
    }
    // The kernel documents that iowait may go back; a node that seems to have un-idled keeps its
    // last load. So does one whose CPU set changed, because the sum line jumps with it.
    if (latest_.rest_ticks >= anchor_.rest_ticks) {
      measure_load();
    }
  }
  measure_packages();
  if (elapsed_ns >= horizon_ns()) {
    std::swap(anchor_, latest_);
    known_ = true;
  }
  return 0;
}

void CpuLoad::measure_load() {
  const double cpu_ns =
      static_cast<double>(latest_.now_ns - anchor_.now_ns) * static_cast<double>(latest_.online);
  const double rest_ns =
      static_cast<double>(latest_.rest_ticks - anchor_.rest_ticks) * static_cast<double>(tick_ns_);
  load_ = std::clamp(1 - rest_ns / cpu_ns, 0.0, 1.0);
}

void CpuLoad::measure_packages() {
  std::fill(cpu_share_.begin(), cpu_share_.end(), 0.0);
  std::fill(busy_share_.begin(), busy_share_.end(), 0.0);
  const bool comparable = same_cpus();
  const auto elapsed_ns = static_cast<double>(latest_.now_ns - anchor_.now_ns);
  for (std::size_t i = 0; i < latest_.cpus.size(); ++i) {
    const Cpu& cpu = latest_.cpus[i];
    if (!cpu.online) {
      continue;
    }
    cpu_share_[cpu.package] += 1;
    const std::uint64_t before_ticks = anchor_.cpus[i].rest_ticks;
    if (comparable && cpu.rest_ticks >= before_ticks) {
      const auto rest_ns = static_cast<double>((cpu.rest_ticks - before_ticks) * tick_ns_);
      busy_share_[cpu.package] += std::max(elapsed_ns - rest_ns, 0.0);
    }
  }
  const auto normalise = [](std::vector<double>& shares, const std::vector<double>& fallback) {
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares[i] = sum > 0 ? shares[i] / sum : fallback[i];
    }
  };
  const std::vector<double>& counts = cpu_share_;
  if (std::accumulate(counts.begin(), counts.end(), 0.0) <= 0) {
    cpu_share_.front() = 1;
  }
  normalise(cpu_share_, cpu_share_);
  normalise(busy_share_, cpu_share_);
}

}  // namespace powertrace
