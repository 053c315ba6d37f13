// SPDX-License-Identifier: Apache-2.0
#include "identity/runtime_names.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "identity/cgroup_tree.hpp"
#include "identity/runtime_state.hpp"
#include "support/temp_dir.hpp"

namespace powertrace {
namespace {

const std::string kContainer(64, 'a');

ContainerIdentity container(const char* runtime) {
  ContainerIdentity identity;
  identity.id = kContainer;
  identity.runtime = runtime;
  return identity;
}

const char* const kDocker = R"({"ID":"x","Name":"/web","Config":{"Env":["SECRET=1"],)"
                            R"("Labels":{"a":"b"}}})";
const char* const kPodDocker =
    R"({"Name":"/k8s_nginx_web-0_shop_u_0","Config":{"Labels":{)"
    R"("io.kubernetes.docker.type":"container","io.kubernetes.container.name":"nginx",)"
    R"("io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop",)"
    R"("io.kubernetes.pod.uid":"u"}}})";
const char* const kCri = R"({"ociVersion":"1.0.2","process":{"env":["SECRET=1"]},"annotations":{)"
                         R"("io.kubernetes.cri.container-type":"container",)"
                         R"("io.kubernetes.cri.container-name":"nginx",)"
                         R"("io.kubernetes.cri.sandbox-name":"web-0",)"
                         R"("io.kubernetes.cri.sandbox-namespace":"shop",)"
                         R"("io.kubernetes.cri.sandbox-uid":"u"}})";
const char* const kSandbox = R"({"annotations":{"io.kubernetes.cri.container-type":"sandbox",)"
                             R"("io.kubernetes.cri.sandbox-name":"web-0"}})";
const char* const kRunc = R"({"id":"x","config":{"rootfs":"/","labels":["nertctl","bundle=/b",)"
                          R"("nerdctl/name=db"]}})";

// The table as soon as it has `size` containers; REQUIRE fails after seconds.
std::shared_ptr<const NameTable> wait_for(const NameSource& source, std::size_t size) {
  for (int i = 0; i < 500 && source.table()->containers.size() < size; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE(source.table()->containers.size() == size);
  return source.table();
}

}  // namespace

TEST_CASE("runtime state: names in the files of each runtime") {
  CHECK(parse_docker_config(kDocker)->name == "web");
  CHECK(parse_docker_config(kDocker)->pod == nullptr);
  CHECK(parse_docker_config(kPodDocker)->name == "nginx");
  for (const auto& found : {parse_docker_config(kPodDocker), parse_oci_config(kCri)}) {
    REQUIRE(found);
    CHECK(found->name == "nginx");
    REQUIRE(found->pod);
    CHECK(found->pod->name == "web-0");
    CHECK(found->pod->name_space == "shop");
    CHECK(found->pod->uid == "u");
  }
  CHECK(parse_oci_config(kSandbox)->name == "POD");
  CHECK(parse_runc_state(kRunc)->name == "db");
  const auto list = parse_storage_list(
      R"([{"id":"1","names":["web"],"metadata":"{}"},{"id":"2"},{"id":"3","names":[]},7,)"
      R"({"id":"4","names":["k8s_a_b_c_d_0"]}])");
  REQUIRE(list.size() == 1);
  CHECK(list.find("1")->second.name == "web");
  CHECK(list.find("1")->second.runtime == "podman");
}

TEST_CASE("runtime state: what is damaged or of another form names nothing") {
  for (const char* text : {"", "{", "[]", "null", "7", "\"x\"", "\xff", "{\"Name\":[]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_docker_config(text));
    CHECK_FALSE(parse_oci_config(text));
    CHECK_FALSE(parse_runc_state(text));
    CHECK(parse_storage_list(text).empty());
  }
  CHECK(parse_docker_config(R"({"Name":7,"Config":[]})")->name.empty());
  CHECK(parse_oci_config(R"({"annotations":["x"]})")->name.empty());
  CHECK(parse_runc_state(R"({"config":{"labels":[1,"novalue"]}})")->name.empty());
  CHECK_FALSE(parse_oci_config(std::string(100'000, '[')));
}

TEST_CASE("runtime names: each runtime's files are found below the host's root") {
  const test::TempDir dir;
  CHECK_FALSE(read_runtime_state(dir.path(), container("docker")));
  dir.write("var/lib/docker/containers/" + kContainer + "/config.v2.json", kDocker);
  CHECK(read_runtime_state(dir.path(), container("docker"))->name == "web");
  CHECK(read_runtime_state(dir.path(), container("unknown"))->runtime == "docker");
  CHECK_FALSE(read_runtime_state(dir.path(), container("podman")));

  const test::TempDir crio;
  const std::string storage = "var/lib/containers/storage/overlay-containers/";
  crio.write(storage + kContainer + "/userdata/config.json",
             R"({"annotations":{"io.kubernetes.container.name":"etcd"}})");
  CHECK(read_runtime_state(crio.path(), container("kubernetes"))->runtime == "cri-o");

  const test::TempDir podman;
  podman.write(storage + "containers.json", "[{\"id\":\"" + kContainer + "\",\"names\":[\"db\"]}]");
  CHECK(read_runtime_state(podman.path(), container("podman"))->name == "db");

  const test::TempDir containerd;
  containerd.write(
      "run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kContainer + "/config.json", kCri);
  const auto found = read_runtime_state(containerd.path(), container("kubernetes"));
  REQUIRE(found);
  CHECK(found->name == "nginx");
  CHECK(found->runtime == "containerd");
  containerd.write("run/containerd/runc/default/" + kContainer + "/state.json", kRunc);
  CHECK(read_runtime_state(containerd.path(), container("containerd"))->name == "db");
}

TEST_CASE("runtime names: a cgroup is named as soon as the files tell") {
  const test::TempDir dir;
  const auto names = std::make_shared<RuntimeNames>(dir.path());
  CgroupTree::Options options;
  options.use_handles = false;
  options.names = {names};
  CgroupTree tree(SysRoot{dir.path("sys"), dir.path("proc")}, options);
  tree.learn(7, "/docker/" + kContainer);
  CHECK(tree.find(7)->container->name.empty());
  dir.write("var/lib/docker/containers/" + kContainer + "/config.v2.json", kPodDocker);
  wait_for(*names, 1);  // the first look was too early, the second comes after a second
  CHECK(tree.find(7)->container->name.empty());
  tree.refresh_names();
  const auto named = tree.find(7);
  CHECK(named->container->name == "nginx");
  REQUIRE(named->container->pod);
  CHECK(named->container->pod->name == "web-0");
  CHECK(named == tree.find(7));
}

TEST_CASE("runtime names: lxc and nspawn carry their names in the path") {
  CgroupTree tree(SysRoot{"/nonexistent", "/nonexistent"}, {});
  tree.learn(7, "/lxc.payload.web");
  CHECK(tree.find(7)->container->name == "web");
}

}  // namespace powertrace
