// SPDX-License-Identifier: Apache-2.0
#include "identity/kube_pods.hpp"

#include <string>

#include <doctest/doctest.h>

#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;

constexpr std::uint64_t kNever = ~std::uint64_t{0};

KubePod pod(const std::string& uid, std::vector<KubeContainer> containers = {}) {
  auto identity = std::make_shared<PodIdentity>();
  identity->uid = uid;
  identity->name = "pod-" + uid;
  identity->name_space = "default";
  return {std::move(identity), uid, "1", std::move(containers)};
}

ContainerIdentity running(const std::string& id, const std::string& pod_uid) {
  ContainerIdentity container;
  container.id = id;
  container.runtime = "kubernetes";
  container.pod_uid = pod_uid;
  return container;
}

}  // namespace

TEST_CASE("kube pods: tables follow lists and events") {
  KubePods pods;
  pods.replace({pod("u1", {{"c1", "web", "containerd"}}), pod("u2")});
  auto table = pods.table(0);
  CHECK(table->from_cluster);
  CHECK(table->containers.at("c1").name == "web");
  CHECK(table->containers.at("c1").pod->name == "pod-u1");
  CHECK(table->pods.size() == 2);
  pods.change(pod("u1", {{"c2", "web", "containerd"}}));  // restarted
  table = pods.table(0);
  CHECK_FALSE(table->containers.contains("c1"));
  CHECK(table->containers.contains("c2"));
  pods.remove("u1");
  pods.remove("u1");
  table = pods.table(0);
  CHECK(table->containers.empty());
  CHECK(table->pods.size() == 1);
  pods.replace({});
  CHECK(pods.size() == 0);
}

TEST_CASE("kube pods: a container is asked about at once, then less and less, then no more") {
  KubePods pods;
  CHECK(pods.next_ask_ns() == kNever);
  pods.want(running("c1", ""), kSecond);  // outside Kubernetes
  CHECK(pods.next_ask_ns() == kNever);
  pods.want(running("c1", "u1"), kSecond);
  CHECK(pods.next_ask_ns() == kSecond);
  std::uint64_t now = kSecond;
  std::uint64_t last = 0;
  int asks = 0;
  while (pods.next_ask_ns() != kNever) {
    CHECK(pods.next_ask_ns() - now >= last);
    last = pods.next_ask_ns() - now;
    now = pods.next_ask_ns();
    pods.asked(now);
    pods.want(running("c1", "u1"), now);  // it keeps running
    REQUIRE(++asks < 100);
    if (asks == 7) {
      break;
    }
  }
  CHECK(asks == 7);
  CHECK(now < 130 * kSecond);
}

TEST_CASE("kube pods: what a known pod never lists is its sandbox") {
  KubePods pods;
  pods.want(running("pause", "u1"), 0);
  pods.replace({pod("u1", {{"c1", "web", "containerd"}})});
  CHECK_FALSE(pods.table(14 * kSecond)->containers.contains("pause"));
  CHECK(pods.table(16 * kSecond)->containers.at("pause").name == "POD");
  CHECK(pods.wanted() == 0);
  pods.want(running("pause", "u1"), 17 * kSecond);
  CHECK(pods.next_ask_ns() == kNever);  // known to be nothing to ask about
  pods.change(pod("u1", {{"pause", "late", "containerd"}}));
  CHECK(pods.table(18 * kSecond)->containers.at("pause").name == "late");
}

TEST_CASE("kube pods: numbers are bounded") {
  KubePods::Options options;
  options.max_pods = 10;
  options.max_wanted = 5;
  KubePods pods(options);
  for (int i = 0; i < 100; ++i) {
    pods.change(pod("u" + std::to_string(i)));
    pods.want(running("c" + std::to_string(i), "x"), 0);
  }
  CHECK(pods.size() == 10);
  CHECK(pods.wanted() == 5);
}

TEST_CASE("kube pods: names already given outlive the pod, and the cluster knows best") {
  KubePods pods;
  pods.replace({pod("u1", {{"c1", "web", "containerd"}})});
  const auto table = pods.table(0);
  ContainerIdentity container = with_names(running("c1", "u1"), *table);
  CHECK(container.name == "web");
  CHECK(container.runtime == "containerd");
  CHECK(container.pod->name == "pod-u1");
  CHECK(with_names(container, NameTable()) == container);
  NameTable runtime;
  auto less = std::make_shared<PodIdentity>();
  less->name = "from-annotations";
  runtime.containers["c1"] = {"web", "containerd", less};
  CHECK(with_names(container, runtime).pod->name == "pod-u1");
  CHECK(with_names(running("c1", "u1"), runtime).pod->name == "from-annotations");
  const ContainerIdentity unknown = with_names(running("c9", "u1"), *table);
  CHECK(unknown.name.empty());  // its pod is known by the path all the same
  CHECK(unknown.pod->name == "pod-u1");
}

}  // namespace powertrace
