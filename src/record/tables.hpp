// SPDX-License-Identifier: Apache-2.0
//
// The reader's side of strings and identities. Ids that a damaged chunk should have defined stay
// unknown; whoever refers to one is told so. Single-threaded; identities it hands out are shared
// and live on by themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/identity.hpp"
#include "powertrace/record_format.h"
#include "record/bytes.hpp"
#include "record/content.hpp"

namespace powertrace::record {

// A process as the recording goes on: it may get other names, and it may end.
struct ProcessLife {
  std::shared_ptr<const ProcessIdentity> identity;  // the latest; never null
  std::optional<std::uint64_t> ended_ns;            // CLOCK_MONOTONIC
};

// Likewise: the names of containers and pods may come late.
struct CgroupLife {
  std::shared_ptr<const CgroupIdentity> identity;  // the latest; never null
};

class Tables {
 public:
  explicit Tables(std::uint32_t sockets) : sockets_(sockets) {}

  // The payload of a chunk of definitions. False: it does not hold together; what came before the
  // problem is kept.
  bool define(ChunkType type, std::string_view payload);
  void begin_epoch();

  // Null: unknown.
  [[nodiscard]] const TaskDef* task(Id id) const {
    return id < tasks_.size() && tasks_[id] ? &*tasks_[id] : nullptr;
  }
  // Null: unknown.
  [[nodiscard]] const CodeFile* file(Id id) const {
    return id < files_.size() && files_[id] ? &*files_[id] : nullptr;
  }
  [[nodiscard]] const Frame* frame(Id id) const {
    return id < frames_.size() && frames_[id] ? &*frames_[id] : nullptr;
  }
  // Leaf first; unknown: empty.
  [[nodiscard]] const std::vector<Id>& stack(Id id) const;
  // Of a frame, where it was found while recording; else "".
  [[nodiscard]] const std::string& name(Id frame) const;

  // Never null. A life changes with what is read next, also after an epoch has ended.
  [[nodiscard]] std::shared_ptr<const ProcessLife> process(const TaskDef& task) const;
  [[nodiscard]] std::shared_ptr<const CgroupLife> cgroup(const TaskDef& task) const;

 private:
  bool define_texts(std::string_view payload);
  bool define_cgroups(std::string_view payload);
  bool define_processes(std::string_view payload);
  bool define_tasks(std::string_view payload);
  bool define_files(std::string_view payload);
  bool define_frames(std::string_view payload);
  bool define_stacks(std::string_view payload);
  bool add_names(std::string_view payload);
  bool add_exits(std::string_view payload);
  // "" if it is unknown.
  [[nodiscard]] const std::string& text(std::uint64_t id) const;
  std::shared_ptr<const VmIdentity> machine(ByteReader& in) const;
  std::optional<ContainerIdentity> container(ByteReader& in) const;

  std::uint32_t sockets_;
  std::vector<std::optional<std::string>> texts_;
  std::vector<std::shared_ptr<CgroupLife>> cgroups_;
  std::vector<std::shared_ptr<ProcessLife>>
      processes_;  // one that replaces another shares its life
  std::vector<std::optional<TaskDef>> tasks_;
  std::vector<std::optional<CodeFile>> files_;
  std::vector<std::optional<Frame>> frames_;
  std::vector<std::vector<Id>> stacks_;
  std::unordered_map<Id, std::string> names_;
};

}  // namespace powertrace::record
