// SPDX-License-Identifier: Apache-2.0
//
// The two protobuf messages that sinks send. Pure.
#pragma once

#include <string>

#include "push/batch.hpp"

namespace powertrace {

// prometheus.WriteRequest (remote-write 1.0), not compressed: powertrace_node_joules_total and
// powertrace_container_joules_total with label node, and their watts gauges.
std::string remote_write_request(const PushBatch& batch);

// opentelemetry ExportMetricsServiceRequest: hw.energy and hw.power of the node's zones,
// powertrace.container.energy of containers.
std::string otlp_request(const PushBatch& batch);

}  // namespace powertrace
