// SPDX-License-Identifier: Apache-2.0
//
// What the state files of container runtimes say about a container. Pure; any bytes are fine. The
// environment that some of these files repeat is skipped while reading, never stored.
#pragma once

#include <optional>
#include <string_view>

#include "identity/names.hpp"

namespace powertrace {

// docker: containers/<id>/config.v2.json.
std::optional<ContainerName> parse_docker_config(std::string_view text);

// The config.json of an OCI bundle, as containerd and cri-o write it: its annotations.
std::optional<ContainerName> parse_oci_config(std::string_view text);

// runc's state.json: annotations are among its labels.
std::optional<ContainerName> parse_runc_state(std::string_view text);

// containers/storage's containers.json, of podman and cri-o: all its containers by id.
TextMap<ContainerName> parse_storage_list(std::string_view text);

}  // namespace powertrace
