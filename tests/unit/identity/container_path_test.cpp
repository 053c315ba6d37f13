// SPDX-License-Identifier: Apache-2.0
#include "identity/container_path.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "container_id.hpp"

namespace powertrace {
namespace {

const std::string kId2 = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const std::string kUid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
const std::string kUid2 = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const std::string kUidSlice = "1b4e28ba_2fa1_11d2_883f_0016d3cca427";
const std::string kStatic = "8ee44f9dbd1b4a7d9ad0d4b6d5e9a3c1";
const std::string kKubeSlice =
    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + kUidSlice + ".slice";

struct Case {
  std::string path;
  std::string id;
  std::string runtime;
  std::string pod_uid;
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& expected : cases) {
    CAPTURE(expected.path);
    const auto found = parse_container(expected.path);
    REQUIRE(found.has_value());
    CHECK(found->id == expected.id);
    CHECK(found->runtime == expected.runtime);
    CHECK(found->pod_uid == expected.pod_uid);
  }
}

}  // namespace

TEST_CASE("container path: runtimes outside Kubernetes") {
  check_all({
      {"/docker/" + kId, kId, "docker", ""},
      {"/docker/" + kId + "/init.scope", kId, "docker", ""},
      {"/system.slice/docker-" + kId + ".scope", kId, "docker", ""},
      {"/system.slice/docker-" + kId + ".scope (deleted)", kId, "docker", ""},
      {"/docker/" + kId + " (deleted)", kId, "docker", ""},
      {"/moby/" + kId, kId, "docker", ""},
      {"/system.slice/containerd.service/cri-containerd-" + kId + ".scope", kId, "containerd", ""},
      {"/default/" + kId, kId, "containerd", ""},
      {"/default/my-test.1", "my-test.1", "containerd", ""},
      {"/k8s.io/" + kId, kId, "containerd", ""},
      {"/system.slice/nerdctl-" + kId + ".scope", kId, "containerd", ""},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/nerdctl-" + kId + ".scope", kId,
       "containerd", ""},
      {"/machine.slice/libpod-" + kId + ".scope", kId, "podman", ""},
      {"/machine.slice/libpod-" + kId + ".scope/container", kId, "podman", ""},
      {"/libpod_parent/libpod-" + kId, kId, "podman", ""},
      {"/machine.slice/machine-libpod_pod_" + kId2 + ".slice/libpod-" + kId + ".scope", kId,
       "podman", ""},
      {"/libpod_parent/" + kId2 + "/libpod-" + kId, kId, "podman", ""},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId +
           ".scope/container",
       kId, "podman", ""},
      {"/system.slice/web.service/libpod-payload-" + kId, kId, "podman", ""},
      {"/lxc.payload.web-1", "web-1", "lxc", ""},
      {"/lxc.payload.web-1/system.slice/ssh.service", "web-1", "lxc", ""},
      {"/lxc.payload/web", "web", "lxc", ""},
      {"/lxc/100", "100", "lxc", ""},
      {"/lxc/100/ns/init.scope", "100", "lxc", ""},
      {"/machine.slice/systemd-nspawn@build.service/payload", "build", "systemd-nspawn", ""},
      {"/machine.slice/machine-deb\\x2d12.scope", "deb-12", "systemd-nspawn", ""},
      {"/machine.slice/machine-lxc\\x2d77\\x2dold.scope", "lxc-77-old", "lxc", ""},
      {"/ecs/task/" + kId, kId, "unknown", ""},
  });
}

TEST_CASE("container path: Kubernetes with both cgroup drivers") {
  check_all({
      {kKubeSlice + "/cri-containerd-" + kId + ".scope", kId, "containerd", kUid},
      {kKubeSlice + "/crio-" + kId + ".scope", kId, "cri-o", kUid},
      {kKubeSlice + "/crio-" + kId + ".scope/container", kId, "cri-o", kUid},
      {kKubeSlice + "/docker-" + kId + ".scope", kId, "docker", kUid},
      {"/kubepods.slice/kubepods-pod" + kUidSlice + ".slice/cri-containerd-" + kId + ".scope", kId,
       "containerd", kUid},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kStatic +
           ".slice/cri-containerd-" + kId + ".scope",
       kId, "containerd", kStatic},
      {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kUidSlice +
           ".slice/cri-containerd-" + kId + ".scope",
       kId, "containerd", kUid},
      {"/system.slice/containerd.service/kubepods-burstable-pod" + kUidSlice +
           ".slice:cri-containerd:" + kId,
       kId, "containerd", kUid},
      {"/kubepods/besteffort/pod" + kUid + "/" + kId, kId, "kubernetes", kUid},
      {"/kubepods/burstable/pod" + kUid + "/" + kId, kId, "kubernetes", kUid},
      {"/kubepods/pod" + kUid + "/" + kId, kId, "kubernetes", kUid},
      {"/kubepods/pod" + kStatic + "/" + kId, kId, "kubernetes", kStatic},
      {"/kubepods/burstable/pod" + kUid + "/crio-" + kId, kId, "cri-o", kUid},
      {"/../../kubepods/burstable/pod" + kUid + "/" + kId, kId, "kubernetes", kUid},
      {"/../../burstable/pod" + kUid + "/" + kId, kId, "kubernetes", kUid},
      {"/../pod" + kUid + "/" + kId, kId, "kubernetes", kUid},
      {"/../../kubepods-besteffort.slice/kubepods-besteffort-pod" + kUidSlice +
           ".slice/cri-containerd-" + kId + ".scope",
       kId, "containerd", kUid},
  });
}

TEST_CASE("container path: nested ones give the innermost container and the outermost pod") {
  check_all({
      {"/kubepods/burstable/pod" + kUid + "/" + kId + "/docker/" + kId2, kId2, "docker", kUid},
      {"/docker/" + kId + "/kubelet/kubepods/pod" + kUid + "/" + kId2, kId2, "kubernetes", kUid},
      {"/kubepods/pod" + kUid + "/" + kId + "/kubepods/pod" + kUid2 + "/" + kId2, kId2,
       "kubernetes", kUid},
      {"/lxc.payload.k3s" + kKubeSlice + "/cri-containerd-" + kId + ".scope", kId, "containerd",
       kUid},
      {"/docker/" + kId + "/libpod_parent/conmon", kId, "docker", ""},
  });
}

TEST_CASE("container path: what is no container") {
  for (const std::string& path : {
           std::string(),
           std::string("/"),
           std::string("//../.."),
           std::string("[cgroup 4711]"),
           std::string("/init.scope"),
           std::string("/system.slice/ssh.service"),
           std::string("/system.slice/docker.service"),
           std::string("/system.slice/containerd.service"),
           std::string("/user.slice/user-1000.slice/session-3.scope"),
           std::string("/user.slice/user-1000.slice/user@1000.service/app.slice/app-a.scope"),
           std::string("/docker"),
           std::string("/docker/buildx"),
           std::string("/lxc"),
           std::string("/lxc.payload."),
           std::string("/lxc.monitor.web"),
           std::string("/lxc.monitor/web"),
           std::string("/lxc.pivot"),
           std::string("/default"),
           std::string("/default/-x"),
           std::string("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"),
           std::string("/machine.slice/machine-qemu-1-vm.scope"),
           std::string("/machine-x.scope"),
           std::string("/kubepods/besteffort/pod") + kUid,
           kKubeSlice,
           kKubeSlice + "/crio-conmon-" + kId + ".scope",
           "/machine.slice/libpod-conmon-" + kId + ".scope",
           "/system.slice/docker-" + kId.substr(1) + ".scope",
           "/system.slice/docker-" + kId + "0.scope",
           "/system.slice/docker-g" + kId.substr(1) + ".scope",
           "/system.slice/" + kId.substr(32),
       }) {
    CAPTURE(path);
    CHECK_FALSE(parse_container(path).has_value());
  }
}

TEST_CASE("container path: a pod uid has the form of one") {
  const auto runtime_only = [](const std::string& pod) {
    const auto found = parse_container("/kubepods/" + pod + "/cri-containerd-" + kId + ".scope");
    REQUIRE(found.has_value());
    return found->pod_uid.empty();
  };
  CHECK_FALSE(runtime_only("pod" + kUid));
  for (const std::string& pod :
       {std::string("pod"), std::string("podman"), "pod" + kUid + "0", "pod" + kUid.substr(1),
        std::string("pod1b4e28ba02fa1-11d2-883f-0016d3cca427"), "x-pod" + kUidSlice + ".slice"}) {
    CAPTURE(pod);
    CHECK(runtime_only(pod));
  }
}

TEST_CASE("container path: hostile bytes do no harm") {
  for (const std::string& path : std::vector<std::string>{
           std::string("/lxc/\x1b[31m\xff\n"), std::string("/lxc/\0x", 7),
           std::string(100'000, '/'), std::string(100'000, 'a'), "/machine.slice/machine-\\x.scope",
           "/:/::/:" + kId, "/machine.slice/machine-\\x2.scope", "/machine.slice/machine-.scope"}) {
    const auto found = parse_container(path);
    CHECK((!found || !found->id.empty()));
  }
  CHECK(parse_container("/lxc/\x1b[31m\xff\n")->id == "\x1b[31m\xff\n");
}

}  // namespace powertrace
