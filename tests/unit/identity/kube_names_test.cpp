// SPDX-License-Identifier: Apache-2.0
//
// The client against tests/support/fake_kube.py: TLS with an authority of its own, and everything a
// real server does on a bad day.
#include "identity/kube_names.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/clock.hpp"
#include "support/temp_dir.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

bool eventually(const std::function<bool()>& holds, int seconds = 60) {
  for (int i = 0; i < seconds * 100; ++i) {
    if (holds()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class FakeKube {
 public:
  FakeKube() {
    dir_.write("token", "first");
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    REQUIRE((::pipe2(to.data(), O_CLOEXEC) == 0 && ::pipe2(from.data(), O_CLOEXEC) == 0));
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(to[0], STDIN_FILENO);
      ::dup2(from[1], STDOUT_FILENO);
      ::close(to[1]);
      ::close(from[0]);
      ::execlp("python3", "python3", PT_TEST_SOURCE_DIR "/support/fake_kube.py",
               dir_.path().c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    stdin_ = to[1];
    std::array<char, 16> line{};
    const ssize_t size = ::read(from[0], line.data(), line.size() - 1);
    ::close(from[0]);
    REQUIRE_MESSAGE(size > 1, "fake_kube.py did not start: it needs python3 and openssl");
    port_ = std::stoi(line.data());
  }
  FakeKube(const FakeKube&) = delete;
  FakeKube& operator=(const FakeKube&) = delete;
  FakeKube(FakeKube&&) = delete;
  FakeKube& operator=(FakeKube&&) = delete;
  ~FakeKube() {
    ::close(stdin_);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] KubeOptions options(KubeMode mode) const {
    KubeOptions options;
    options.mode = mode;
    options.url = "https://127.0.0.1:" + std::to_string(port_);
    options.token_file = dir_.path("token");
    options.ca_file = dir_.path("ca.crt");
    options.node_name = "node-1";
    options.labels = {"app"};
    return options;
  }
  void order(const std::string& json) const {
    HttpRequest request = control();
    request.method = HttpMethod::kPost;
    request.body = json;
    const auto answer = http_send(request);
    REQUIRE_MESSAGE(answer, answer.error().message);
  }
  [[nodiscard]] int counted(const char* what) const {
    const auto answer = http_send(control());
    REQUIRE_MESSAGE(answer, answer.error().message);
    return nlohmann::json::parse(answer->body).at(what).get<int>();
  }
  void write_token(const std::string& token) const { dir_.write("token", token); }

 private:
  [[nodiscard]] HttpRequest control() const {
    HttpRequest request;
    request.url = options(KubeMode::kApi).url + "/control";
    request.tls.ca_file = dir_.path("ca.crt");
    request.timeout_ns = 60'000 * kMs;  // on a machine as busy as may be
    request.connect_timeout_ns = 60'000 * kMs;
    return request;
  }

  test::TempDir dir_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

KubeTiming fast() {
  KubeTiming timing;
  timing.min_interval_ns = 50 * kMs;
  timing.refresh_ns = 60'000 * kMs;
  timing.request_timeout_ns = 2000 * kMs;
  timing.min_backoff_ns = 20 * kMs;
  timing.max_backoff_ns = 100 * kMs;
  timing.max_page_bytes = std::size_t{2} << 20U;
  timing.watch_s = 30;
  return timing;
}

ContainerIdentity running(int number) {
  ContainerIdentity container;
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "%064x", static_cast<unsigned>(number));
  container.id = text.data();
  std::snprintf(text.data(), text.size(), "00000000-0000-4000-8000-%012d", number);
  container.pod_uid = text.data();
  container.runtime = "kubernetes";
  return container;
}

// Whether container and pod `number` have their names.
bool named(const NameSource& names, int number) {
  const ContainerIdentity container = with_names(running(number), *names.table());
  return container.name == "nginx" && container.pod && container.pod->owner_name == "web";
}

}  // namespace

TEST_CASE("kube names: the API server is listed in pages and watched") {
  const FakeKube kube;
  kube.order(R"({"pods":25})");
  KubeTiming timing = fast();
  timing.page_pods = 10;
  const KubeNames names(kube.options(KubeMode::kApi), timing, {});
  REQUIRE(eventually([&] { return named(names, 24); }));
  CHECK(kube.counted("pages") == 3);
  CHECK(names.health().pods == 25);
  const auto pod = with_names(running(3), *names.table()).pod;
  CHECK(pod->owner_kind == "Deployment");
  CHECK(pod->labels.size() == 1);
  REQUIRE(eventually([&] { return kube.counted("watching") == 1; }));
  kube.order(R"({"add":100})");
  CHECK(eventually([&] { return named(names, 100); }));
  kube.order(R"({"delete":100})");
  CHECK(eventually([&] { return !named(names, 100); }));
  SUBCASE("a watch that ends goes on without a new list") {
    kube.order(R"({"cut":true})");
    REQUIRE(eventually([&] { return kube.counted("watch") == 2; }));
    REQUIRE(eventually([&] { return kube.counted("watching") == 1; }));
    kube.order(R"({"add":101})");
    CHECK(eventually([&] { return named(names, 101); }));
    CHECK(kube.counted("list") == 1);
  }
  SUBCASE("410 Gone, as a status and as an event: listed anew") {
    kube.order(R"({"faults":[410],"cut":true})");
    REQUIRE(eventually([&] { return kube.counted("list") == 2; }));
    REQUIRE(eventually([&] { return kube.counted("watching") == 1; }));
    kube.order(R"({"faults":["gone-event"],"cut":true})");
    REQUIRE(eventually([&] { return kube.counted("list") == 3; }));
    REQUIRE(eventually([&] { return kube.counted("watching") == 1; }));
    kube.order(R"({"add":102})");
    CHECK(eventually([&] { return named(names, 102); }));
  }
  SUBCASE("a rotated token is read from its file") {
    kube.order(R"({"token":"second","cut":true})");
    REQUIRE(eventually([&] { return kube.counted("refused") >= 2; }));
    CHECK(named(names, 3));  // names stay while nobody answers
    CHECK_FALSE(names.health().up);
    kube.write_token("second");
    CHECK(eventually([&] { return names.health().up; }));
    kube.order(R"({"add":103})");
    CHECK(eventually([&] { return named(names, 103); }));
  }
  CHECK(names.health().requests < 60);  // no storm
}

TEST_CASE("kube names: a server that is down or talks nonsense costs names, nothing else") {
  const FakeKube kube;
  kube.order(
      R"({"pods":3,"faults":[500,403,"truncate","garbage","close","slow","huge","truncate"]})");
  const KubeNames names(kube.options(KubeMode::kApi), fast(), {});
  CHECK(with_names(running(1), *names.table()) == running(1));
  CHECK(eventually([&] { return named(names, 2); }));
  CHECK(names.health().up);
  CHECK(names.health().failures >= 8);
}

TEST_CASE("kube names: an authority that did not sign the server gets no token") {
  const FakeKube kube;
  const FakeKube other;
  kube.order(R"({"pods":3})");
  KubeOptions options = kube.options(KubeMode::kApi);
  options.ca_file = other.options(KubeMode::kApi).ca_file;
  {
    const KubeNames names(options, fast(), {});
    CHECK(eventually([&] { return names.health().failures >= 3; }));
    CHECK_FALSE(names.health().up);
    CHECK(kube.counted("list") == 0);
    CHECK(kube.counted("refused") == 0);
  }
  options.verify = false;
  const KubeNames trusting(options, fast(), {});
  CHECK(eventually([&] { return named(trusting, 2); }));
}

TEST_CASE("kube names: the kubelet is asked when something unknown runs, not more") {
  const FakeKube kube;
  kube.order(R"({"pods":3})");
  KubePods::Options pods;
  pods.sandbox_after_ns = 300 * kMs;
  pods.first_retry_ns = 100 * kMs;
  KubeNames names(kube.options(KubeMode::kKubelet), fast(), pods);
  REQUIRE(eventually([&] { return named(names, 2); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(kube.counted("kubelet") == 1);
  kube.order(R"({"add":50})");
  names.want(running(50));
  CHECK(eventually([&] { return named(names, 50); }));
  CHECK(kube.counted("kubelet") == 2);

  ContainerIdentity pause = running(50);
  pause.id = std::string(64, 'f');
  names.want(pause);
  CHECK(eventually([&] { return with_names(pause, *names.table()).name == "POD"; }));
  const int before = kube.counted("kubelet");
  CHECK(before <= 9);
  for (int i = 0; i < 100; ++i) {
    names.want(pause);  // as for every window it runs in
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(kube.counted("kubelet") == before);
}

TEST_CASE("kube names: 5 000 pods, and an end that does not wait") {
  const FakeKube kube;
  kube.order(R"({"pods":5000})");
  KubeTiming timing = fast();
  timing.request_timeout_ns = 60'000 * kMs;
  timing.max_page_bytes = std::size_t{64} << 20U;
  const std::uint64_t begin = monotonic_ns();
  std::uint64_t stop = 0;
  {
    const KubeNames api(kube.options(KubeMode::kApi), timing, {});
    const KubeNames kubelet(kube.options(KubeMode::kKubelet), timing, {});
    REQUIRE(eventually([&] { return named(api, 4999) && named(kubelet, 4999); }, 60));
    CHECK(api.health().pods == 5000);
    CHECK(kube.counted("pages") == 21);
    MESSAGE("listed twice in " << (monotonic_ns() - begin) / kMs << " ms");
    stop = monotonic_ns();
  }
  CHECK(monotonic_ns() - stop < 20'000 * kMs);
}

}  // namespace powertrace
