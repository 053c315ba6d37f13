// SPDX-License-Identifier: Apache-2.0
//
// Energy by stack. A task's energy in a window is divided over its samples there; windows without
// one go to its samples of the same second, else to all its samples, else to [unsampled]: so the
// parts add up to the task's energy exactly. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/attribution.hpp"
#include "model/identity.hpp"
#include "model/ledger.hpp"
#include "record/reader.hpp"

namespace powertrace::report {

// A place in code, the same for all epochs of a recording.
struct Place {
  record::CodeFile file;
  std::uint64_t offset = 0;
  std::string name;  // where it was found while recording
};

// Whose energy it is: a task under a cgroup.
struct Subject {
  TaskId task;
  std::uint32_t tgid = 0;
  Comm comm{};
  bool selected = true;
  std::shared_ptr<const record::ProcessLife> process;
  std::shared_ptr<const record::CgroupLife> cgroup;
};

constexpr std::size_t kUnsampled = 0;  // the stack of what has no sample

struct StackEnergy {
  std::size_t subject = 0;
  std::size_t stack = kUnsampled;
  std::uint64_t samples = 0;
  std::int64_t energy_nj = 0;  // in_total zones
  std::int64_t run_ns = 0;
};

// One sample and its part of the energy.
struct TimedSample {
  std::uint64_t time_ns = 0;
  std::size_t cell = 0;
  std::int64_t energy_nj = 0;
};

class EnergyStacks {
 public:
  // `keep_samples`: each for itself as well, which takes memory for each.
  EnergyStacks(const record::Reader& reader, bool keep_samples)
      : reader_(reader), keep_samples_(keep_samples), stacks_(1) {}

  // The reader's window.
  void add(const Attribution& attribution);
  // After the last window.
  void finish();

  [[nodiscard]] const std::vector<Subject>& subjects() const { return subjects_; }
  [[nodiscard]] const std::vector<Place>& places() const { return places_; }
  // Leaf first, indices into places().
  [[nodiscard]] const std::vector<std::vector<std::size_t>>& stacks() const { return stacks_; }
  [[nodiscard]] const std::vector<StackEnergy>& cells() const { return cells_; }
  // If they were kept: in the order of windows; the sum of a cell's is that of the cell.
  [[nodiscard]] const std::vector<TimedSample>& samples() const { return samples_; }
  // The same, away from here: of long recordings they are many.
  std::vector<StackEnergy> take_cells() { return std::move(cells_); }
  std::vector<TimedSample> take_samples() { return std::move(samples_); }
  [[nodiscard]] std::int64_t idle_nj() const { return idle_nj_; }
  [[nodiscard]] std::int64_t unattributed_nj() const { return unattributed_nj_; }
  [[nodiscard]] std::uint64_t duration_ns() const { return end_ns_ - start_ns_; }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Weight {
    std::size_t cell = 0;
    std::uint64_t samples = 0;
  };
  static void merge(std::vector<Weight>& weights);
  // What of a subject waits for a sample.
  struct Account {
    std::int64_t energy_nj = 0;
    std::int64_t run_ns = 0;
    std::vector<Weight> samples;  // by cell, not yet merged
  };
  struct CellHash {
    std::size_t operator()(std::uint64_t key) const noexcept {
      return (key ^ key >> 29U) * 0x9E3779B97F4A7C15ULL >> 7U;
    }
  };
  std::size_t subject(record::Id task);
  std::size_t stack(record::Id id);
  std::size_t place(record::Id frame);
  std::size_t cell(std::size_t subject, std::size_t stack);
  bool divide(Account& account);
  void divide_cells(std::size_t first_sample);
  void settle();
  void follow_epoch();

  const record::Reader& reader_;
  bool keep_samples_;
  std::vector<TimedSample> samples_;
  std::size_t period_first_ = 0;  // sample
  struct Due {
    std::int64_t energy_nj = 0;
    std::uint64_t samples = 0;
  };
  std::unordered_map<std::size_t, Due> due_;  // by cell: waits for divide_cells()
  std::vector<Subject> subjects_;
  std::vector<Place> places_;
  std::vector<std::vector<std::size_t>> stacks_;
  std::vector<StackEnergy> cells_;
  std::vector<std::uint64_t> weights_;  // of divide()
  std::vector<std::int64_t> energies_;
  std::vector<std::int64_t> times_;
  std::vector<Account> period_;  // by subject: of the last second
  std::vector<Account> rest_;    // by subject: what no second could place
  std::unordered_map<LedgerKey, std::size_t, LedgerKeyHash> subject_ids_;
  std::map<std::tuple<std::string, std::string, std::uint32_t, std::uint64_t>, std::size_t>
      place_ids_;
  std::map<std::vector<std::size_t>, std::size_t> stack_ids_;
  std::unordered_map<std::uint64_t, std::size_t, CellHash> cell_ids_;  // subject and stack
  std::uint32_t epoch_ = 0;
  std::vector<std::size_t> task_subjects_;  // of this epoch: by id, kNone where not yet known
  std::unordered_map<record::Id, std::size_t> frame_places_;
  std::vector<std::size_t> id_stacks_;  // as task_subjects_
  std::int64_t idle_nj_ = 0;
  std::int64_t unattributed_nj_ = 0;
  std::uint64_t start_ns_ = 0;
  std::uint64_t end_ns_ = 0;
  std::uint64_t period_start_ns_ = 0;
};

}  // namespace powertrace::report
