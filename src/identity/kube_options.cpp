// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/choice.hpp"
#include "identity/kube_names.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<KubeMode>, 3> kModes{
    {{"off", KubeMode::kOff}, {"kubelet", KubeMode::kKubelet}, {"api", KubeMode::kApi}}};
// Where Kubernetes mounts what a pod needs to talk to it.
constexpr const char* kAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

// An IPv6 address goes into a URL in brackets.
std::string https_url(std::string_view host, std::string_view port) {
  return host.find(':') != std::string_view::npos ? fmt::format("https://[{}]:{}", host, port)
                                                  : fmt::format("https://{}:{}", host, port);
}

}  // namespace

Result<KubeMode> parse_kube_mode(std::string_view text) {
  return parse_choice("a way to ask Kubernetes", text, kModes);
}

Result<KubeOptions> complete_kube_options(KubeOptions options,
                                          const std::function<const char*(const char*)>& env) {
  if (options.mode == KubeMode::kOff) {
    return options;
  }
  const auto get = [&env](const char* name) {
    const char* value = env(name);
    return std::string(value != nullptr ? value : "");
  };
  const bool kubelet = options.mode == KubeMode::kKubelet;
  if (options.url.empty() && kubelet) {
    const std::string ip = get("NODE_IP");
    options.url = https_url(ip.empty() ? "127.0.0.1" : ip, "10250");
  } else if (options.url.empty()) {
    const std::string host = get("KUBERNETES_SERVICE_HOST");
    if (host.empty()) {
      return fail(
          ErrorCode::kUsage,
          "--kube api: KUBERNETES_SERVICE_HOST is not set, so this is no pod: say where the "
          "API server is with --kube-url https://HOST:PORT");
    }
    const std::string port = get("KUBERNETES_SERVICE_PORT");
    options.url = https_url(host, port.empty() ? "443" : port);
  }
  while (options.url.ends_with('/')) {
    options.url.pop_back();
  }
  const bool https = options.url.starts_with("https://");
  if (!https && !options.url.starts_with("http://")) {
    return fail(ErrorCode::kUsage, "--kube-url: \"{}\" does not begin with https:// or http://",
                redact_url(options.url));
  }
  // Not over http, unless asked for: the token opens the cluster to whoever reads along.
  if (https && options.token_file.empty()) {
    options.token_file = std::string(kAccount) + "token";
  }
  if (https && options.verify && options.ca_file.empty()) {
    options.ca_file = std::string(kAccount) + "ca.crt";
  }
  if (options.node_name.empty()) {
    options.node_name = get("NODE_NAME");
  }
  if (!kubelet && options.node_name.empty()) {
    return fail(ErrorCode::kUsage,
                "--kube api: whose pods? Give --node-name, or set NODE_NAME (in a DaemonSet from "
                "the field spec.nodeName)");
  }
  return options;
}

}  // namespace powertrace
