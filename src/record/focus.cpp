// SPDX-License-Identifier: Apache-2.0
#include "record/focus.hpp"

#include <utility>

#include <fmt/format.h>

namespace powertrace::record {

Focus Focus::process(std::uint32_t pid) {
  Focus focus;
  focus.pid_ = pid;
  focus.family_ = std::make_unique<Descendants>(pid);
  return focus;
}

Focus Focus::cgroup(std::string path) {
  Focus focus;
  focus.cgroup_ = std::move(path);
  return focus;
}

void Focus::on_event(const pt_event& event, std::size_t size) {
  if (family_) {
    family_->on_event(event, size);
  }
}

bool Focus::includes(const TaskUse& use, const CgroupIdentity& cgroup) {
  if (family_) {
    return family_->saw(use);
  }
  if (!cgroup_ || *cgroup_ == "/") {
    return true;
  }
  return cgroup.path.starts_with(*cgroup_) &&
         (cgroup.path.size() == cgroup_->size() || cgroup.path[cgroup_->size()] == '/');
}

void Focus::end_window() {
  if (family_) {
    family_->end_window();
  }
}

std::string Focus::describe() const {
  if (family_) {
    return fmt::format("process {} and its descendants", pid_);
  }
  return cgroup_ ? fmt::format("cgroup {}", *cgroup_) : "";
}

}  // namespace powertrace::record
