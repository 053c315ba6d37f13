// SPDX-License-Identifier: Apache-2.0
//
// JSON lines in a file: one object per row. The file is opened for each batch, so that logrotate
// may move it away.
#pragma once

#include <memory>
#include <string>

#include "push/sink.hpp"

namespace powertrace {

std::string json_lines(const PushBatch& batch);
std::unique_ptr<Sink> make_file_sink(std::string path);

}  // namespace powertrace
