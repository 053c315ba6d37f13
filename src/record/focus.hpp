// SPDX-License-Identifier: Apache-2.0
//
// What of the machine a recording is about: everything, a process with its descendants, or a
// cgroup. The rest is recorded too, because energy is divided among all that run; it is only told
// apart. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/descendants.hpp"
#include "model/identity.hpp"
#include "model/window.hpp"

namespace powertrace::record {

class Focus {
 public:
  static Focus everything() { return Focus(); }
  // A living process and what it starts from now on.
  static Focus process(std::uint32_t pid);
  // "/user.slice/a", as ProcessIdentity shows it, and what is below it.
  static Focus cgroup(std::string path);

  // In the order of Pipeline's observers: a window's events come before it.
  void on_event(const pt_event& event, std::size_t size);
  [[nodiscard]] bool includes(const TaskUse& use, const CgroupIdentity& cgroup);
  // By what is known without names: false is sure.
  [[nodiscard]] bool may_include(std::uint32_t tgid) const {
    return !family_ || family_->knows(tgid);
  }
  [[nodiscard]] bool is_everything() const { return !family_ && !cgroup_; }
  void end_window();

  // "process 4711 and its descendants"; empty: everything.
  [[nodiscard]] std::string describe() const;

 private:
  std::uint32_t pid_ = 0;
  std::unique_ptr<Descendants> family_;
  std::optional<std::string> cgroup_;
};

}  // namespace powertrace::record
