// SPDX-License-Identifier: Apache-2.0
//
// Where a recording goes: a file or a pipe. Blocks are written and, on a disk, made durable by a
// thread of its own, so that a slow disk does not delay the loop; only when a lot is waiting does
// write() wait too, which makes windows longer but loses none.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace powertrace::record {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Takes a block of whole chunks. An error may be that of an earlier block; what was written
  // before it is a recording that was cut off.
  virtual Status write(std::string block) = 0;
  // Everything is out.
  virtual Status finish() = 0;
  // The reader of a pipe went away: nothing more is wanted, and that is no error.
  [[nodiscard]] virtual bool reader_gone() const { return false; }
};

class FileSink : public Sink {
 public:
  // Creates `path` with mode 0600; a recording of that name becomes `path`.old. "-" is standard
  // output.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path);
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override;

  Status write(std::string block) override;
  Status finish() override;
  [[nodiscard]] bool reader_gone() const override;

 private:
  FileSink(UniqueFd file, std::string name, bool regular);
  void run();
  void put(const std::string& block);

  UniqueFd file_;
  std::string name_;
  bool regular_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool closing_ = false;
  bool reader_gone_ = false;
  Status failure_;
  std::uint64_t written_ = 0;  // the thread's: end of the last whole block
  std::thread thread_;
};

}  // namespace powertrace::record
