// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/names.hpp"

#include <algorithm>
#include <cstdlib>

#include "cli/commands/values.hpp"

namespace powertrace {

void add_names_options(CLI::App& app, RawNames& raw) {
  app.add_option("--host-root", raw.host_root,
                 "where the host's /run and /var are: container runtimes keep names there")
      ->type_name("DIR");
  app.add_option("--kube", raw.kube, "names of pods from Kubernetes: off, kubelet, api");
  app.add_option("--kube-url", raw.url, "the kubelet or API server, instead of this pod's own")
      ->type_name("URL");
  app.add_option("--kube-token-file", raw.token_file, "bearer token, read anew for each request")
      ->type_name("FILE");
  app.add_option("--kube-ca", raw.ca_file, "certificate authority of the server")
      ->type_name("FILE");
  app.add_flag("--kube-insecure", raw.insecure,
               "accept any certificate, for kubelets that sign their own");
  app.add_option("--node-name", raw.node_name, "this node's name in Kubernetes, else $NODE_NAME")
      ->type_name("NAME");
  app.add_option("--pod-labels", raw.pod_labels, "labels of pods to keep, * for all")
      ->type_name("LIST");
}

Result<NamesConfig> check(const RawNames& raw) {
  NamesConfig names;
  names.host_root = raw.host_root;
  KubeOptions kube;
  PT_ASSIGN(kube.mode, at_option("--kube", parse_kube_mode(raw.kube)));
  kube.url = raw.url;
  kube.token_file = raw.token_file;
  kube.ca_file = raw.ca_file;
  kube.verify = !raw.insecure;
  kube.node_name = raw.node_name;
  for (std::size_t begin = 0; begin < raw.pod_labels.size();) {
    const std::size_t end = std::min(raw.pod_labels.find(',', begin), raw.pod_labels.size());
    if (end > begin) {
      kube.labels.push_back(raw.pod_labels.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  PT_ASSIGN(names.kube, complete_kube_options(std::move(kube),
                                              [](const char* name) { return std::getenv(name); }));
  return names;
}

}  // namespace powertrace
