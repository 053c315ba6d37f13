// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "base/sysroot.hpp"
#include "serve/labels.hpp"
#include "serve/metrics_endpoint.hpp"
#include "serve/metrics_page.hpp"
#include "snapshots.hpp"

using namespace powertrace;
using test::Machine;
using test::Person;
using test::person;

namespace {

// A page taken apart as strictly as a scraper does.
struct Page {
  std::map<std::string, std::string> types;    // family -> type
  std::map<std::string, double> samples;       // series -> value
  std::set<std::string> labels_of_one_family;  // names
};

// Reads `name="value",...`; the position after "}".
std::size_t read_labels(const std::string& line, std::size_t at) {
  while (line.at(at) != '}') {
    const std::size_t equals = line.find('=', at);
    REQUIRE(equals != std::string::npos);
    REQUIRE(line.at(equals + 1) == '"');
    std::size_t end = equals + 2;
    while (line.at(end) != '"') {
      if (line[end] == '\\') {
        const char escaped = line.at(++end);
        REQUIRE((escaped == 'n' || escaped == '"' || escaped == '\\'));
      }
      ++end;
    }
    at = end + 1;
    if (line.at(at) == ',') {
      ++at;
    }
  }
  return at + 1;
}

Page parse(const std::string& text, MetricFormat format) {
  Page page;
  std::istringstream lines(text);
  std::string line;
  std::string family;
  while (std::getline(lines, line)) {
    CAPTURE(line);
    if (line == "# EOF") {
      REQUIRE(format == MetricFormat::kOpenMetrics);
      REQUIRE_FALSE(std::getline(lines, line));
      break;
    }
    if (line.rfind("# TYPE ", 0) == 0) {
      std::istringstream words(line.substr(7));
      std::string type;
      words >> family >> type;
      REQUIRE(page.types.emplace(family, type).second);  // a family is in one piece
      continue;
    }
    if (line.rfind("# HELP ", 0) == 0) {
      continue;
    }
    const std::size_t name_end = line.find_first_of("{ ");
    const std::string name = line.substr(0, name_end);
    if (format == MetricFormat::kOpenMetrics && page.types[family] == "counter") {
      REQUIRE((name == family + "_total" || name == family + "_created"));
    } else {
      REQUIRE(name == family);
    }
    const std::size_t labels_end =
        line[name_end] == '{' ? read_labels(line, name_end + 1) : name_end;
    REQUIRE(line.at(labels_end) == ' ');
    std::size_t used = 0;
    const double value = std::stod(line.substr(labels_end + 1), &used);
    REQUIRE(labels_end + 1 + used == line.size());
    REQUIRE(page.samples.emplace(line.substr(0, labels_end), value).second);  // no duplicates
  }
  return page;
}

PageConfig everything() {
  PageConfig config;
  config.schemas = {true, true, true};
  config.levels = {true, true, true, true, true};
  config.node_name = "n1";
  config.cpus = {{"0", "AuthenticAMD", "AMD EPYC", "0", "0"}};
  return config;
}

Person machine_person() {
  Person one = person(300, "qemu", "/machine.slice/m");
  auto process = std::make_shared<ProcessIdentity>(*one.process);
  process->vm = std::make_shared<const VmIdentity>(VmIdentity{"uuid", "guest", "kvm"});
  one.process = process;
  return one;
}

std::vector<Person> people() {
  ContainerIdentity container{std::string(64, 'a'), "cri-o", "pod-1", "web", nullptr};
  auto pod = std::make_shared<PodIdentity>();
  pod->uid = "pod-1";
  pod->name = "web-1";
  pod->name_space = "shop";
  pod->owner_kind = "Deployment";
  pod->owner_name = "web";
  pod->labels = {{"app.kubernetes.io/name", "x"}, {"app-kubernetes-io/name", "y"}};
  container.pod = pod;
  return {person(100, "app", "/kubepods/a", container), person(200, "bash", "/user.slice"),
          machine_person(),
          // Hostile: ends the label, the line, and is no UTF-8.
          person(201, "\"} 1\n\\", "/" + std::string(200, 'x')),
          person(202, "\xff\xfe\xc0\x80", "/\xed\xa0\x80"), person(203, "tab\tbell\a", "/\x01")};
}

AccountViewPtr account_of(const std::vector<Person>& who, int seconds = 3) {
  static Machine machine(7);
  AccountConfig config;
  config.processes = true;
  config.even_idle = true;
  config.node_name = "n1";
  Account account(config, test::nobody_lives());
  for (int i = 0; i < seconds; ++i) {
    account.add(machine.second(who));
  }
  return account.view();
}

double sum_where(const Page& page, const std::string& name, const std::string& label) {
  double sum = 0;
  for (const auto& [series, value] : page.samples) {
    if (series.rfind(name + "{", 0) == 0 && series.find(label) != std::string::npos) {
      sum += value;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("metrics: the page parses whatever processes are called, in both formats") {
  const AccountViewPtr account = account_of(people());
  for (const MetricFormat format : {MetricFormat::kText, MetricFormat::kOpenMetrics}) {
    const Page page = parse(metrics_page(*account, everything(), {}, format), format);
    CHECK(page.samples.size() > 200);
    for (const auto& [series, value] : page.samples) {
      CHECK(clean_text(series) == series);
    }
  }
}

TEST_CASE("metrics: levels add up to the node, in our schema and in Kepler's") {
  const AccountViewPtr account = account_of(people());
  const Page page =
      parse(metrics_page(*account, everything(), {}, MetricFormat::kText), MetricFormat::kText);
  const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-9); };
  for (const std::string zone : {"zone=\"package\"", "zone=\"dram\""}) {
    const double active = sum_where(page, "powertrace_node_active_joules_total", zone);
    CHECK(active > 0);
    for (const char* level : {"cgroup", "container", "pod", "vm", "process"}) {
      CAPTURE(level);
      CHECK(sum_where(page, fmt::format("powertrace_{}_joules_total", level), zone) ==
            near(active));
    }
    CHECK(sum_where(page, "powertrace_node_joules_total", zone) ==
          near(active + sum_where(page, "powertrace_node_idle_joules_total", zone) +
               sum_where(page, "powertrace_unattributed_joules_total", zone)));
    const double kepler = sum_where(page, "kepler_node_cpu_active_joules_total", zone);
    CHECK(sum_where(page, "kepler_process_cpu_joules_total", zone) == near(kepler));
    CHECK(sum_where(page, "kepler_node_cpu_joules_total", zone) ==
          near(kepler + sum_where(page, "kepler_node_cpu_idle_joules_total", zone)));
    CHECK(sum_where(page, "kepler_process_cpu_watts", zone) ==
          near(sum_where(page, "kepler_node_cpu_active_watts", zone)));
  }
  const double dynamic = sum_where(page, "kepler_node_dram_joules_total", "mode=\"dynamic\"");
  CHECK(sum_where(page, "kepler_container_dram_joules_total", "mode=\"dynamic\"") <=
        doctest::Approx(dynamic));
}

TEST_CASE("metrics: what is emitted is what is described, and the reverse") {
  const AccountViewPtr account = account_of(people());
  const std::string text = metrics_page(*account, everything(), {}, MetricFormat::kText);
  const Page page = parse(text, MetricFormat::kText);
  std::map<std::string, std::string> described;
  for (const SchemaDescription& schema : describe_metrics()) {
    for (const MetricFamily& family : schema.families) {
      CAPTURE(family.name);
      CHECK(
          described.emplace(family.name, family.type == MetricType::kCounter ? "counter" : "gauge")
              .second);
      CHECK(text.find(fmt::format("# HELP {} {}\n", family.name, family.help)) !=
            std::string::npos);
      CHECK_FALSE(family.help.empty());
    }
  }
  CHECK(described == page.types);
  // Labels too: every label of a sample is in its family's list.
  for (const SchemaDescription& schema : describe_metrics()) {
    for (const MetricFamily& family : schema.families) {
      const std::string list = "," + std::string(family.labels) + ",";
      const auto first = page.samples.lower_bound(std::string(family.name));
      for (auto at = first;
           at != page.samples.end() && at->first.rfind(std::string(family.name) + "{", 0) == 0;
           ++at) {
        for (const std::string label : {"zone", "state", "mode", "source", "pid", "comm", "exe"}) {
          if (at->first.find("," + label + "=\"") != std::string::npos ||
              at->first.find("{" + label + "=\"") != std::string::npos) {
            CAPTURE(at->first);
            CHECK(list.find("," + label + ",") != std::string::npos);
          }
        }
      }
    }
  }
}

TEST_CASE("metrics: Kepler's names carry Kepler's labels") {
  const AccountViewPtr account = account_of(people());
  const std::string text = metrics_page(*account, everything(), {}, MetricFormat::kText);
  const std::string id(64, 'a');
  for (const std::string& series :
       {"kepler_container_cpu_joules_total{container_id=\"" + id +
            "\",container_name=\"web\",node_name=\"n1\",pod_id=\"pod-1\",runtime=\"crio\","
            "state=\"running\",zone=\"package\"} ",
        std::string("kepler_pod_cpu_watts{node_name=\"n1\",pod_id=\"pod-1\",pod_name=\"web-1\",pod_"
                    "namespace=\"shop\",state=\"running\",zone=\"dram\"} "),
        std::string("kepler_vm_cpu_joules_total{hypervisor=\"kvm\",node_name=\"n1\",vm_id=\"uuid\","
                    "vm_name=\"guest\",state=\"running\",zone=\"package\"} "),
        std::string("kepler_node_cpu_joules_total{node_name=\"n1\",path=\"aggregated-package\","
                    "zone=\"package\"} "),
        std::string("kepler_process_cpu_seconds_total{comm=\"bash\",container_id=\"\",exe=\"/bin/"
                    "program\",node_name=\"n1\",pid=\"200\",type=\"regular\",vm_id=\"\"} "),
        "kepler_container_package_joules_total{container_id=\"" + id +
            "\",container_name=\"web\",container_namespace=\"shop\",pod_name=\"web-1\",mode="
            "\"dynamic\",source=\"rapl-sysfs\"} ",
        std::string(
            "kepler_container_joules_total{container_id=\"system_processes\",container_name="
            "\"system_processes\",container_namespace=\"system\",pod_name=\"system_"
            "processes\",mode=\"idle\",source=\"\"} "),
        std::string("kepler_node_package_joules_total{instance=\"n1\",mode=\"idle\",package=\"0\","
                    "source=\"rapl-sysfs\"} ")}) {
    CAPTURE(series);
    CHECK(text.find("\n" + series) != std::string::npos);
  }
}

TEST_CASE("metrics: numbers are not rounded") {
  std::string text;
  MetricsWriter out(text, MetricFormat::kText);
  out.family({"x_total", MetricType::kCounter, "help", ""});
  out.billionths("", "", 123'456'789'000'000'001);
  out.billionths("", "", 5);
  out.billionths("", "", -1'500'000'000);
  out.billionths("a=\"b\"", "c=\"d\"", 0);
  out.integer("", "", INT64_MIN);
  CHECK(text ==
        "# HELP x_total help\n# TYPE x_total counter\nx_total 123456789.000000001\n"
        "x_total 0.000000005\nx_total -1.5\nx_total{a=\"b\",c=\"d\"} 0\n"
        "x_total -9223372036854775808\n");
}

TEST_CASE("metrics: negotiation") {
  CHECK(negotiate_format("") == MetricFormat::kText);
  CHECK(negotiate_format("*/*") == MetricFormat::kText);
  CHECK(negotiate_format("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                         "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1") ==
        MetricFormat::kOpenMetrics);
  CHECK(negotiate_format("application/openmetrics-text;q=0.1, text/plain") == MetricFormat::kText);
  CHECK(negotiate_format("application/openmetrics-text;q=0") == MetricFormat::kText);
  CHECK(negotiate_format(";;;q=,,=;q") == MetricFormat::kText);
  CHECK(accepts_gzip("gzip"));
  CHECK(accepts_gzip("br, gzip;q=0.5"));
  CHECK_FALSE(accepts_gzip("gzip;q=0"));
  CHECK_FALSE(accepts_gzip("identity"));
}

TEST_CASE("metrics: cpuinfo of both architectures") {
  const auto x86 = parse_cpuinfo(
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: A : B\nphysical id\t: 1\ncore "
      "id\t\t: "
      "3\n\nprocessor\t: 1\n");
  REQUIRE(x86.size() == 2);
  CHECK(x86[0].model_name == "A : B");
  CHECK(x86[0].physical_id == "1");
  CHECK(x86[0].core_id == "3");
  CHECK(parse_cpuinfo(":\n\nx\nprocessor").empty());
}
