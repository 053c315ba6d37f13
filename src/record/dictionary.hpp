// SPDX-License-Identifier: Apache-2.0
//
// The writer's side of strings and identities: gives ids and remembers what must be defined before
// the next windows. Bounded by epochs: when it has grown large, the writer begins a new one. Loop
// thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/identity.hpp"
#include "model/window.hpp"
#include "powertrace/record_format.h"
#include "record/bytes.hpp"
#include "record/content.hpp"

namespace powertrace::record {

// Who the tasks are; pipeline's identity cache, or a test.
struct Names {
  std::function<std::shared_ptr<const ProcessIdentity>(const TaskUse&)> process;
  std::function<std::shared_ptr<const CgroupIdentity>(const TaskUse&)> cgroup;
  std::function<bool(const ProcessIdentity&)> ended;
  std::function<bool(const TaskUse&)> selected;  // of what was asked for
};

struct Definitions {
  ChunkType type = ChunkType::kStrings;
  std::string payload;
  std::uint32_t rows = 0;
};

class Dictionary {
 public:
  explicit Dictionary(Names names) : names_(std::move(names)) {}

  // The id of a task that ran; defines it and its names if they are new.
  Id task(const TaskUse& use);

  // Names change (exec) and processes end: looks again at the tasks given out since the last call.
  void refresh(std::uint64_t now_ns);

  // What was defined since the last call, in the order in which it must be written.
  std::vector<Definitions> take();

  // About what take() will give.
  [[nodiscard]] std::size_t pending_bytes() const;

  // Forgets everything; ids begin again.
  void begin_epoch();
  [[nodiscard]] bool large() const;

 private:
  struct TaskKey {
    TaskId task;
    std::uint64_t cgroup_id;
    std::int32_t socket;
    bool kernel_thread;
    Comm comm;
    bool operator==(const TaskKey&) const = default;
  };
  struct TaskKeyHash {
    std::size_t operator()(const TaskKey& key) const noexcept;
  };
  struct Known {
    TaskUse use;  // to ask again
    Id process;
    Id cgroup;
    bool active;
  };
  // Definitions of one kind that were not written yet.
  struct Pending {
    ByteWriter rows;
    std::uint32_t count = 0;
    Id next = 0;
  };

  Id text(std::string_view text);
  Id process(const std::shared_ptr<const ProcessIdentity>& identity, Id replaces);
  Id cgroup(const std::shared_ptr<const CgroupIdentity>& identity, Id replaces);
  void machine(ByteWriter& row, const VmIdentity* vm);
  void container(ByteWriter& row, const ContainerIdentity* container);

  Names names_;
  std::unordered_map<std::string, Id> texts_;
  std::unordered_map<TaskKey, Id, TaskKeyHash> task_ids_;
  std::vector<Known> tasks_;
  std::vector<Id> active_;
  // By address: identities never change once published, and these keep them alive.
  std::unordered_map<const ProcessIdentity*, Id> process_ids_;
  std::vector<std::shared_ptr<const ProcessIdentity>> processes_;
  std::vector<Id> living_;
  std::unordered_map<const CgroupIdentity*, Id> cgroup_ids_;
  std::vector<std::shared_ptr<const CgroupIdentity>> cgroups_;
  Pending new_texts_, new_cgroups_, new_processes_, new_tasks_;
  ByteWriter exits_;
  std::uint32_t exit_count_ = 0;
};

}  // namespace powertrace::record
