// SPDX-License-Identifier: Apache-2.0
#include "identity/container_path.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "identity/escape.hpp"

namespace powertrace {
namespace {

struct Match {
  std::string_view id;
  std::string_view runtime;
};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool consume_prefix(std::string_view& text, std::string_view prefix) {
  const bool found = text.substr(0, prefix.size()) == prefix;
  text.remove_prefix(found ? prefix.size() : 0);
  return found;
}
bool consume_suffix(std::string_view& text, std::string_view suffix) {
  const bool found = text.ends_with(suffix);
  text.remove_suffix(found ? suffix.size() : 0);
  return found;
}

// What docker, containerd's CRI, cri-o, podman and nerdctl use.
bool is_long_id(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), is_hex);
}

// containerd's rule for the names that `ctr run` takes.
bool is_containerd_name(std::string_view text) {
  constexpr std::size_t kMaxLength = 76;
  return !text.empty() && text.size() <= kMaxLength && is_alnum(text.front()) &&
         is_alnum(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return is_alnum(c) || c == '-' || c == '_' || c == '.';
         });
}

// A UUID (systemd's form has underscores, as '-' means a level of slices) or 32 hex digits.
bool is_pod_uid(std::string_view text) {
  if (text.size() == 32) {
    return std::all_of(text.begin(), text.end(), is_hex);
  }
  if (text.size() != 36) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' && text[i] != '_' : !is_hex(text[i])) {
      return false;
    }
  }
  return true;
}

// "pod<uid>", or "[parent-]kubepods[-burstable]-pod<uid>.slice". Empty: not a pod.
std::string_view pod_uid_of(std::string_view segment) {
  if (consume_suffix(segment, ".slice")) {
    const std::size_t at = segment.rfind("-pod");
    if (at == std::string_view::npos || segment.substr(0, at).find("kubepods") > at) {
      return {};
    }
    segment.remove_prefix(at + 1);
  }
  return consume_prefix(segment, "pod") && is_pod_uid(segment) ? segment : std::string_view{};
}

// "<runtime>-<id>[.scope]". A conmon beside its container does not match: its id is "conmon-<id>".
Match match_prefixed(std::string_view segment) {
  constexpr std::array<Match, 7> kPrefixes{{{"docker-", "docker"},
                                            {"cri-containerd-", "containerd"},
                                            {"nerdctl-", "containerd"},
                                            {"containerd-", "containerd"},
                                            {"crio-", "cri-o"},
                                            {"libpod-payload-", "podman"},
                                            {"libpod-", "podman"}}};
  consume_suffix(segment, ".scope");
  for (const auto& [prefix, runtime] : kPrefixes) {
    std::string_view id = segment;
    if (consume_prefix(id, prefix) && is_long_id(id)) {
      return {id, runtime};
    }
  }
  return {};
}

// "<slice>:cri-containerd:<id>": a kubelet that speaks systemd to a runtime that does not.
Match match_colons(std::string_view segment) {
  const std::size_t at = segment.rfind(':');
  if (at == std::string_view::npos || !is_long_id(segment.substr(at + 1))) {
    return {};
  }
  std::string_view runtime = segment.substr(0, at);
  runtime.remove_prefix(runtime.rfind(':') + 1);  // npos + 1 is 0
  if (runtime == "cri-containerd" || runtime == "nerdctl") {
    return {segment.substr(at + 1), "containerd"};
  }
  if (runtime == "crio") {
    return {segment.substr(at + 1), "cri-o"};
  }
  if (runtime == "docker") {
    return {segment.substr(at + 1), "docker"};
  }
  return runtime == "libpod" ? Match{segment.substr(at + 1), "podman"} : Match{};
}

Match match_lxc(std::string_view segment, std::string_view parent) {
  if (consume_prefix(segment, "lxc.payload.") || parent == "lxc" || parent == "lxc.payload") {
    return {segment, "lxc"};
  }
  return {};
}

// libvirt's machines: "machine-<driver>-<number>-<name>.scope", dashes escaped.
bool is_driver(std::string_view machine, std::string_view driver) {
  return consume_prefix(machine, driver) &&
         (machine.starts_with('-') || machine.starts_with("\\x2d"));
}

// machined's names. The id is still escaped.
Match match_machine(std::string_view segment, std::string_view parent) {
  if (consume_prefix(segment, "systemd-nspawn@") && consume_suffix(segment, ".service")) {
    return {segment, "systemd-nspawn"};
  }
  if (parent != "machine.slice" || !consume_prefix(segment, "machine-") ||
      !consume_suffix(segment, ".scope") || is_driver(segment, "qemu")) {
    return {};
  }
  return {segment, is_driver(segment, "lxc") ? "lxc" : "systemd-nspawn"};
}

// An id without a word about its runtime; its place says more or less.
Match match_bare(std::string_view segment,
                 std::string_view parent,
                 bool parent_is_top,
                 bool in_pod) {
  // ctr and nerdctl without systemd: /<containerd namespace>/<id>.
  if (parent_is_top && parent == "default" && is_containerd_name(segment)) {
    return {segment, "containerd"};
  }
  if (!is_long_id(segment)) {
    return {};
  }
  if (parent == "docker" || parent == "moby") {
    return {segment, "docker"};
  }
  if (in_pod && !pod_uid_of(parent).empty()) {
    return {segment, "kubernetes"};
  }
  return {segment, parent_is_top && parent == "k8s.io" ? "containerd" : "unknown"};
}

}  // namespace

std::optional<ContainerIdentity> parse_container(std::string_view cgroup_path) {
  consume_suffix(cgroup_path, " (deleted)");
  Match found;
  std::string_view pod_uid;
  std::string_view parent;
  std::size_t depth = 0;
  while (!cgroup_path.empty()) {
    const std::size_t slash = std::min(cgroup_path.find('/'), cgroup_path.size());
    const std::string_view segment = cgroup_path.substr(0, slash);
    cgroup_path.remove_prefix(std::min(slash + 1, cgroup_path.size()));
    if (segment.empty() || segment == "." || segment == "..") {
      continue;
    }
    ++depth;
    if (pod_uid.empty()) {
      pod_uid = pod_uid_of(segment.substr(0, segment.find(':')));
    }
    for (const Match& match : {match_prefixed(segment), match_colons(segment),
                               match_lxc(segment, parent), match_machine(segment, parent),
                               match_bare(segment, parent, depth == 2, !pod_uid.empty())}) {
      if (!match.id.empty()) {
        found = match;
        break;
      }
    }
    parent = segment;
  }
  if (found.id.empty()) {
    return std::nullopt;
  }
  ContainerIdentity container{std::string(found.id), std::string(found.runtime),
                              std::string(pod_uid)};
  if (found.runtime == "systemd-nspawn" || found.runtime == "lxc") {
    container.id = unescape_unit(found.id);
    container.name = container.id;
  }
  std::replace(container.pod_uid.begin(), container.pod_uid.end(), '_', '-');
  return container;
}

}  // namespace powertrace
