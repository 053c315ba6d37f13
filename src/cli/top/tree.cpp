// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "cli/top/rows.hpp"

namespace powertrace::top {
namespace {

constexpr std::size_t kNone = SIZE_MAX;
constexpr int kDeepest = 64;  // branches drawn; deeper nodes are listed at this depth

class TreeBuilder {
 public:
  TreeBuilder(std::vector<TopRow> rows, const RowQuery& query)
      : rows_(std::move(rows)), query_(query) {}

  std::vector<TopRow> build() {
    link();
    mark_shown();
    for (std::size_t node = 0; node < rows_.size(); ++node) {
      if (parent_[node] == kNone) {
        add_up(node);
      }
    }
    sort_children(roots_);
    for (std::size_t i = 0; i < roots_.size(); ++i) {
      list(roots_[i], 0, "", i + 1 == roots_.size());
    }
    return std::move(out_);
  }

 private:
  // Where the row is found as a parent, and under what it looks for its own.
  [[nodiscard]] std::string node_name(const Row& row) const {
    if (query_.level == Level::kCgroup) {
      return row.kind == RowKind::kWorkload ? row.id : std::string();
    }
    return row.pid != 0 ? std::to_string(row.pid) : std::string();
  }

  [[nodiscard]] std::string parent_name(const Row& row) const {
    if (query_.level == Level::kProcess) {
      return row.parent_pid != 0 && row.parent_pid != row.pid ? std::to_string(row.parent_pid)
                                                              : std::string();
    }
    const std::size_t slash = row.id.rfind('/');
    if (row.kind != RowKind::kWorkload || slash == std::string::npos || row.id.size() == 1) {
      return {};
    }
    return slash == 0 ? "/" : row.id.substr(0, slash);
  }

  void index(std::size_t node) {
    const std::string name = node_name(rows_[node].row);
    if (name.empty()) {
      return;
    }
    // A pid may have been reused: the one that runs now is meant, else the younger one.
    const auto [at, added] = by_name_.try_emplace(name, node);
    if (!added) {
      const TopRow& old = rows_[at->second];
      const TopRow& now = rows_[node];
      const auto start = [](const TopRow& row) {
        return row.row.process ? row.row.process->task.start_ns : 0;
      };
      if (std::pair(now.ran, start(now)) > std::pair(old.ran, start(old))) {
        at->second = node;
      }
    }
  }

  std::size_t find_parent(std::size_t node) {
    const std::string name = parent_name(rows_[node].row);
    if (name.empty()) {
      return kNone;
    }
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      return found->second;
    }
    TopRow missing;
    if (query_.level == Level::kCgroup) {
      missing.row.id = name;
      missing.row.name = name;
    } else {
      // Asked for only where it shows: a lookup per process that ended long ago would add up.
      if (!query_.find_process || !(rows_[node].ran || query_.all || is_added(node))) {
        return kNone;
      }
      const auto process = query_.find_process(rows_[node].row.parent_pid);
      if (!process) {
        return kNone;
      }
      missing.row.id = "parent:" + name;
      missing.row.name = process->comm;
      missing.row.pid = process->task.pid;
      missing.row.parent_pid = process->parent_pid;
      missing.row.process = process;
    }
    missing.row.level = query_.level;
    missing.key = row_key(missing.row);
    rows_.push_back(std::move(missing));
    by_name_[name] = rows_.size() - 1;
    return rows_.size() - 1;
  }

  [[nodiscard]] bool is_added(std::size_t node) const { return node >= original_; }

  void link() {
    original_ = rows_.size();
    for (std::size_t node = 0; node < rows_.size(); ++node) {
      index(node);
    }
    for (std::size_t node = 0; node < rows_.size(); ++node) {  // grows while it is walked
      const std::size_t parent = find_parent(node);
      parent_.resize(rows_.size(), kNone);
      if (parent != node && !is_below(parent, node)) {
        parent_[node] = parent;
      }
    }
    children_.resize(rows_.size());
    for (std::size_t node = 0; node < rows_.size(); ++node) {
      if (parent_[node] != kNone) {
        children_[parent_[node]].push_back(node);
      }
    }
  }

  // Reused pids can close a circle.
  [[nodiscard]] bool is_below(std::size_t node, std::size_t above) const {
    while (node != kNone && node < parent_.size()) {
      if (node == above) {
        return true;
      }
      node = parent_[node];
    }
    return false;
  }

  void mark_shown() {
    shown_.assign(rows_.size(), false);
    for (std::size_t node = 0; node < rows_.size(); ++node) {
      const bool wanted = !is_added(node) && (rows_[node].ran || query_.all) &&
                          row_matches(rows_[node].row, query_.filter);
      for (std::size_t up = node; wanted && up != kNone && !shown_[up]; up = parent_[up]) {
        shown_[up] = true;
      }
    }
    for (std::size_t node = 0; node < rows_.size(); ++node) {
      if (parent_[node] == kNone && shown_[node]) {
        roots_.push_back(node);
      }
    }
  }

  // Explicit stack: chains of parents can be as long as somebody likes to fork.
  void add_up(std::size_t root) {
    std::vector<std::size_t> order{root};
    for (std::size_t i = 0; i < order.size(); ++i) {
      order.insert(order.end(), children_[order[i]].begin(), children_[order[i]].end());
    }
    for (std::size_t i = order.size(); i-- > 1;) {
      const TopRow& from = rows_[order[i]];
      TopRow& to = rows_[parent_[order[i]]];
      to.total_nj += from.total_nj;
      to.row.energy_nj += from.row.energy_nj;
      // The errors of one source go the same way, so they add up linearly.
      to.row.plus_minus_nj += from.row.plus_minus_nj;
      to.row.run_ns += from.row.run_ns;
      to.row.counted_ns += from.row.counted_ns;
      to.row.switches += from.row.switches;
      to.row.cycles += from.row.cycles;
      to.row.instructions += from.row.instructions;
      to.row.tasks += from.row.tasks;
      to.ran = to.ran || from.ran;
    }
  }

  void sort_children(std::vector<std::size_t>& nodes) {
    std::sort(nodes.begin(), nodes.end(), [&](std::size_t a, std::size_t b) {
      return query_.reverse ? row_before(rows_[b], rows_[a], query_.sort)
                            : row_before(rows_[a], rows_[b], query_.sort);
    });
  }

  void list(std::size_t root, int depth, const std::string& branches, bool last) {
    struct Step {
      std::size_t node;
      int depth;
      std::string branches;
      bool last;
    };
    std::vector<Step> todo{{root, depth, branches, last}};
    while (!todo.empty()) {
      const Step step = std::move(todo.back());
      todo.pop_back();
      std::vector<std::size_t> below;
      for (const std::size_t child : children_[step.node]) {
        if (shown_[child]) {
          below.push_back(child);
        }
      }
      TopRow& row = rows_[step.node];
      row.depth = step.depth;
      row.has_children = !below.empty();
      row.collapsed =
          row.has_children && query_.collapsed != nullptr && query_.collapsed->count(row.key) != 0;
      row.branches = step.branches;
      if (step.depth > 0) {
        row.branches += step.last ? "`-" : "+-";
      }
      if (!row.collapsed) {
        sort_children(below);
        std::string inner = step.branches;
        if (step.depth > 0 && step.depth < kDeepest) {
          inner += step.last ? "  " : "| ";
        }
        for (std::size_t i = below.size(); i-- > 0;) {
          todo.push_back(
              {below[i], std::min(step.depth + 1, kDeepest), inner, i + 1 == below.size()});
        }
      }
      out_.push_back(row);
    }
  }

  std::vector<TopRow> rows_;
  const RowQuery& query_;
  std::size_t original_ = 0;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::vector<std::size_t> parent_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<bool> shown_;
  std::vector<std::size_t> roots_;
  std::vector<TopRow> out_;
};

}  // namespace

std::vector<TopRow> build_tree(std::vector<TopRow> rows, const RowQuery& query) {
  return TreeBuilder(std::move(rows), query).build();
}

}  // namespace powertrace::top
