// SPDX-License-Identifier: Apache-2.0
#include "identity/kube_pod.hpp"

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "identity/kube_names.hpp"

namespace powertrace {
namespace {

using Owner = std::pair<std::string, std::string>;

const std::string kPod =
    R"({"metadata":{"name":"web-6d4cf56db6-x2x9p","generateName":"web-6d4cf56db6-","namespace":"shop",)"
    R"("uid":"11111111-2222-3333-4444-555555555555","resourceVersion":"812","labels":{"app":"web",)"
    R"("pod-template-hash":"6d4cf56db6","team":"a"},"annotations":{)"
    R"("kubectl.kubernetes.io/last-applied-configuration":"{}"},"ownerReferences":[{"apiVersion":"apps/v1",)"
    R"("kind":"ReplicaSet","name":"web-6d4cf56db6","uid":"y","controller":true}],"managedFields":[{"a":1}]},)"
    R"("spec":{"nodeName":"n1","containers":[{"name":"nginx","env":[{"name":"S","value":"secret"}]}]},)"
    R"("status":{"phase":"Running","containerStatuses":[{"name":"nginx","ready":true,)"
    R"("containerID":"containerd://aaaa"},{"name":"waiting","containerID":""}],)"
    R"("initContainerStatuses":[{"name":"setup","containerID":"containerd://bbbb"}],)"
    R"("ephemeralContainerStatuses":[{"name":"debug","containerID":"cri-o://cccc"}]}})";

std::string list_of(const std::string& items, const std::string& more = "") {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"900")" + more +
         "},\"items\":" + items + "}";
}

}  // namespace

TEST_CASE("kube pod: a list gives names, owner, chosen labels and all kinds of containers") {
  const auto list =
      parse_pod_list(list_of("[" + kPod + "]", R"(,"continue":"tok")"), {"app", "no"});
  REQUIRE(list);
  CHECK(list->resource_version == "900");
  CHECK(list->next == "tok");
  REQUIRE(list->pods.size() == 1);
  const KubePod& pod = list->pods.front();
  CHECK(pod.identity->name == "web-6d4cf56db6-x2x9p");
  CHECK(pod.identity->name_space == "shop");
  CHECK(pod.identity->owner_kind == "Deployment");
  CHECK(pod.identity->owner_name == "web");
  CHECK(pod.identity->labels == std::vector<std::pair<std::string, std::string>>{{"app", "web"}});
  CHECK(pod.path_uid == pod.identity->uid);
  CHECK(pod.resource_version == "812");
  REQUIRE(pod.containers.size() == 3);
  CHECK(pod.containers[0].id == "aaaa");
  CHECK(pod.containers[0].runtime == "containerd");
  CHECK(pod.containers[1].name == "setup");
  CHECK(pod.containers[2].runtime == "cri-o");
  CHECK(parse_pod_list(list_of("[" + kPod + "]"), {"*"})->pods[0].identity->labels.size() == 3);
}

TEST_CASE("kube pod: paths know a static pod by the hash of its file") {
  const auto list = parse_pod_list(
      list_of(
          R"([{"metadata":{"name":"etcd-n1","uid":"u1","annotations":{"kubernetes.io/config.hash":)"
          R"("0123"}}},{"metadata":{"name":"nouid"}},{"metadata":{"uid":"noname"}},7,null])"),
      {});
  REQUIRE(list);
  REQUIRE(list->pods.size() == 1);
  CHECK(list->pods[0].path_uid == "0123");
  CHECK(parse_pod_list(list_of("null"), {})->pods.empty());
}

TEST_CASE("kube pod: what is no list of pods is refused") {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"),
        std::string(R"({"kind":"Status"})"), std::string(R"({"kind":"PodList","items":{}})"),
        list_of("[" + kPod + "]").substr(0, 400), std::string("\xff\xfe"),
        std::string(200'000, '[')}) {
    const auto list = parse_pod_list(text, {});
    CAPTURE(text.substr(0, 50));
    REQUIRE_FALSE(list);
    CHECK(list.error().code == ErrorCode::kMalformed);
  }
}

TEST_CASE("kube pod: watch events") {
  const auto added = parse_watch_event(R"({"type":"ADDED","object":)" + kPod + "}", {"team"});
  REQUIRE(added);
  CHECK(added->type == WatchEventType::kChanged);
  CHECK(added->resource_version == "812");
  CHECK(added->pod.identity->owner_name == "web");
  CHECK(added->pod.identity->labels.size() == 1);
  CHECK(added->pod.containers.size() == 3);
  CHECK(parse_watch_event(R"({"type":"DELETED","object":)" + kPod + "}", {})->type ==
        WatchEventType::kDeleted);
  const auto bookmark = parse_watch_event(
      R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"950"}}})", {});
  CHECK(bookmark->type == WatchEventType::kBookmark);
  CHECK(bookmark->resource_version == "950");
  const auto gone = parse_watch_event(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}})",
      {});
  CHECK(gone->type == WatchEventType::kError);
  CHECK(gone->code == 410);
  CHECK(gone->message == "too old resource version");
  for (const char* text : {"", "{}", R"({"type":"FOO","object":{}})", "[1]",
                           R"({"type":"ADDED","object":{"metadata":{"name":"x"}}})",
                           R"({"type":"ADDED","object":7})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_watch_event(text, {}));
  }
}

TEST_CASE("kube pod: owners people know") {
  CHECK(resolve_owner("ReplicaSet", "web-6d4cf56db6", "6d4cf56db6") == Owner{"Deployment", "web"});
  CHECK(resolve_owner("ReplicaSet", "web-6d4cf56db6", "") == Owner{"ReplicaSet", "web-6d4cf56db6"});
  CHECK(resolve_owner("ReplicaSet", "-x", "x") == Owner{"ReplicaSet", "-x"});
  CHECK(resolve_owner("Job", "backup-29012345", "") == Owner{"CronJob", "backup"});
  CHECK(resolve_owner("Job", "train-42", "") == Owner{"Job", "train-42"});
  CHECK(resolve_owner("StatefulSet", "db", "") == Owner{"StatefulSet", "db"});
  CHECK(resolve_owner("DaemonSet", "agent", "") == Owner{"DaemonSet", "agent"});
}

TEST_CASE("kube pod: the message of a refusal") {
  CHECK(parse_status_message(R"({"kind":"Status","message":"pods is\nforbidden","code":403})") ==
        "pods is forbidden");
  CHECK(parse_status_message("<html>").empty());
  CHECK(parse_status_message(R"({"kind":"Status","message":")" + std::string(5000, 'x') + "\"}")
            .size() == 200);
}

TEST_CASE("kube options: the environment of a pod fills in what was left open") {
  const auto in_pod = [](const char* name) -> const char* {
    const std::string_view key(name);
    return key == "KUBERNETES_SERVICE_HOST"   ? "fd00::1"
           : key == "KUBERNETES_SERVICE_PORT" ? "6443"
           : key == "NODE_NAME"               ? "n1"
           : key == "NODE_IP"                 ? "10.0.0.7"
                                              : nullptr;
  };
  const auto outside = [](const char*) -> const char* { return nullptr; };
  KubeOptions options;
  CHECK(complete_kube_options(options, outside));
  options.mode = KubeMode::kApi;
  const auto api = complete_kube_options(options, in_pod);
  REQUIRE(api);
  CHECK(api->url == "https://[fd00::1]:6443");
  CHECK(api->node_name == "n1");
  CHECK(api->token_file == "/var/run/secrets/kubernetes.io/serviceaccount/token");
  CHECK(api->ca_file == "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
  const auto no_pod = complete_kube_options(options, outside);
  REQUIRE_FALSE(no_pod);
  CHECK(no_pod.error().code == ErrorCode::kUsage);
  options.url = "http://127.0.0.1:8001/";
  CHECK_FALSE(complete_kube_options(options, outside));  // of which node?
  options.node_name = "n2";
  const auto proxy = complete_kube_options(options, outside);
  REQUIRE(proxy);
  CHECK(proxy->url == "http://127.0.0.1:8001");
  CHECK(proxy->token_file.empty());  // never in the clear unless asked for
  options.url = "ftp://user:secret@x";
  const auto bad = complete_kube_options(options, outside);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("secret") == std::string::npos);
  KubeOptions kubelet;
  kubelet.mode = KubeMode::kKubelet;
  kubelet.verify = false;
  CHECK(complete_kube_options(kubelet, in_pod)->url == "https://10.0.0.7:10250");
  CHECK(complete_kube_options(kubelet, in_pod)->ca_file.empty());
  CHECK(complete_kube_options(kubelet, outside)->url == "https://127.0.0.1:10250");
  CHECK(parse_kube_mode("api").value() == KubeMode::kApi);
  CHECK_FALSE(parse_kube_mode("on"));
}

}  // namespace powertrace
