// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <fmt/format.h>

#include "render/figures.hpp"
#include "render/stat.hpp"
#include "render/stat_figures.hpp"
#include "render/text.hpp"

namespace powertrace {
namespace {

std::string counted(double number, std::string_view noun) {
  return fmt::format("{:.6g} {}{}", number, noun, number == 1 ? "" : "s");
}

class StatTable {
 public:
  explicit StatTable(const StatReport& report) : report_(report) {}

  std::string print() {
    title();
    energy();
    time();
    counters();
    surroundings();
    footer();
    warnings();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::optional<StatSpread> of(std::string_view figure) const {
    return spread(report_.runs, figure);
  }
  [[nodiscard]] double mean(std::string_view figure) const {
    const auto over = of(figure);
    return over ? over->mean : 0;
  }
  [[nodiscard]] bool repeated() const { return report_.runs.size() > 1; }

  // "      12.34 J    ± 0.74 J    energy     note". Over several runs ± is how they spread, else
  // what one energy is uncertain by.
  template <typename Format>
  void line(const std::optional<StatSpread>& over,
            std::optional<double> plus_minus,
            const Format& format,
            std::string_view label,
            const std::string& note = "") {
    const std::optional<double> around = repeated() && over ? over->deviation : plus_minus;
    add(over ? format(over->mean) : "-", around ? "± " + format(*around) : "", label, note);
  }

  void add(const std::string& value,
           const std::string& plus_minus,
           std::string_view label,
           const std::string& note) {
    std::string text = fmt::format("  {:>14}  {:<15} {:<{}}  {}", value, plus_minus, label,
                                   note.empty() ? 0 : 28, note);
    text.erase(text.find_last_not_of(' ') + 1);
    out_ += text + "\n";
  }

  void title() {
    std::string command;
    for (const std::string& argument : report_.command) {
      command += (command.empty() ? "" : " ") + printable(argument);
    }
    out_ += fmt::format(
        "\n Energy of '{}' and its descendants{}:\n\n", command,
        repeated() ? fmt::format(", mean ± standard deviation over {} runs", report_.runs.size())
                   : "");
  }

  void energy() {
    line(of("joules"), mean("plus_minus_joules"), format_joules, "energy",
         of("share") ? fmt::format("{:.1f} % of the machine's {}", mean("share") * 100,
                                   format_joules(mean("machine_joules")))
                     : "");
    for (std::size_t z = 0; z < report_.zones.size(); ++z) {
      const auto joules = spread(report_.runs, [z](const StatRun& run) {
        return std::optional(static_cast<double>(run.zones[z].command.nj) / 1e9);
      });
      const auto sigma = spread(report_.runs, [z](const StatRun& run) {
        return std::optional(run.zones[z].command.sigma_nj / 1e9);
      });
      line(joules, sigma ? std::optional(sigma->mean) : std::nullopt, format_joules,
           "  " + report_.zones[z].name,
           report_.zones[z].in_total ? "" : "not added to the energy");
    }
    line(
        of("watts"), mean("plus_minus_watts"),
        [](double watts) { return format_watts(watts) + " W"; }, "mean power");
    line(
        of("edp_js"), mean("plus_minus_edp_js"),
        [](double edp) { return fmt::format("{:.4g} J·s", edp); }, "energy-delay product");
  }

  void time() {
    const auto seconds = [](double value) { return fmt::format("{:.6f} s", value); };
    line(of("elapsed_s"), std::nullopt, seconds, "elapsed");
    line(of("cpu_seconds"), std::nullopt, seconds, "CPU time",
         fmt::format("{:.3f} CPUs utilised", mean("cpus_utilised")));
  }

  void counters() {
    const std::string missing =
        "not counted: " + (report_.not_counted.empty()
                               ? "it ran too short for the budget of counter readings"
                               : report_.not_counted);
    if (!of("cycles")) {
      add("-", "", "cycles, instructions", missing);
      return;
    }
    const auto number = [](double value) { return fmt::format("{:.0f}", value); };
    const auto small = [](double value) { return fmt::format("{:.3f}", value); };
    line(of("cycles"), std::nullopt, number, "cycles",
         fmt::format("{:.1f} % of the CPU time counted, the rest scaled",
                     mean("counted_share") * 100));
    line(of("instructions"), std::nullopt, number, "instructions",
         of("ipc") ? fmt::format("{:.2f} per cycle", mean("ipc")) : missing);
    line(of("nj_per_instruction"), std::nullopt, small, "J per 1e9 instructions");
  }

  void surroundings() {
    std::string note = report_.idle == IdlePolicy::kSeparate
                           ? "the machine's, besides the energy above"
                           : "the machine's; see --idle";
    if (!report_.idle_known && report_.idle == IdlePolicy::kSeparate) {
      note = "idle power is not known, so the energy above holds a share of it; see --idle-watts";
    }
    line(of("idle_joules"), mean("plus_minus_idle_joules"), format_joules, "idle energy", note);
    line(
        of("processes"), std::nullopt, [](double value) { return fmt::format("{:.6g}", value); },
        "processes", counted(mean("threads"), "thread"));
  }

  void footer() {
    const StatRun& last = report_.runs.back();
    out_ += fmt::format("\n source {}, model {}, idle {}, {}\n", source_note(report_.source),
                        model_name(report_.model), idle_policy_name(report_.idle),
                        counted(static_cast<double>(last.windows), "window"));
    if (repeated()) {
      out_ += fmt::format(" besides how the runs spread, each energy is uncertain by ± {}\n",
                          format_joules(mean("plus_minus_joules")));
    }
    for (std::size_t i = 0; i < report_.runs.size(); ++i) {
      const StatRun& run = report_.runs[i];
      const std::string which = repeated() ? fmt::format("run {}: ", i + 1) : "";
      if (run.signal != 0) {
        out_ +=
            fmt::format(" {}ended by signal {} ({})\n", which, run.signal, ::strsignal(run.signal));
      } else if (run.exit_status != 0) {
        out_ += fmt::format(" {}exit status {}\n", which, run.exit_status);
      }
    }
    if (report_.interrupted) {
      out_ +=
          fmt::format(" interrupted: {} of {} runs\n", report_.runs.size(), report_.runs_wanted);
    }
  }

  void warnings() {
    std::uint64_t lost_slices = 0;
    std::uint64_t lost_events = 0;
    std::uint64_t survivors = 0;
    for (const StatRun& run : report_.runs) {
      lost_slices += run.lost_slices;
      lost_events += run.lost_events;
      survivors += run.survivors;
    }
    if (lost_slices > 0) {
      out_ += fmt::format(
          " WARNING: {} slices of run time were lost: a share of [unattributed] "
          "energy is the command's\n",
          lost_slices);
    }
    if (lost_events > 0) {
      out_ += fmt::format(
          " WARNING: {} lifecycle events were lost: descendants may be missing; try "
          "a shorter --window\n",
          lost_events);
    }
    if (survivors > 0) {
      out_ += fmt::format(
          " NOTE: {} descendants still ran when the command ended: not counted from "
          "then on\n",
          survivors);
    }
    for (std::size_t z = 0; z < report_.zones.size(); ++z) {
      zone_warning(z);
    }
  }

  void zone_warning(std::size_t zone) {
    std::uint64_t read_ns = 0;
    std::uint64_t interval_ns = 0;
    for (const StatRun& run : report_.runs) {
      read_ns += run.zones[zone].duration_ns;
      interval_ns += run.interval_ns;
    }
    // Zones are read a little after the edges of the windows.
    const std::uint64_t slack_ns = interval_ns / 50 + 1'000'000 * report_.runs.size();
    if (read_ns + slack_ns >= interval_ns) {
      return;
    }
    const StatZone& last = report_.runs.back().zones[zone];
    out_ += fmt::format(" WARNING: {} was read for {:.3f} s of {:.3f} s only; at the end: {}{}{}\n",
                        report_.zones[zone].name, static_cast<double>(read_ns) / 1e9,
                        static_cast<double>(interval_ns) / 1e9, zone_status_name(last.status),
                        last.sys_errno != 0 ? ", " : "",
                        last.sys_errno != 0 ? std::strerror(last.sys_errno) : "");
  }

  const StatReport& report_;
  std::string out_;
};

}  // namespace

std::string stat_table(const StatReport& report) {
  return StatTable(report).print();
}

}  // namespace powertrace
