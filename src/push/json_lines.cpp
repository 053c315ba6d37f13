// SPDX-License-Identifier: Apache-2.0
#include "push/json_lines.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/wall_time.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

class FileSink final : public Sink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] std::string name() const override { return "file " + path_; }

  Status send(const PushBatch& batch) override {
    const UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (fd.get() < 0) {
      return again(errno, "cannot be opened");
    }
    const std::string text = json_lines(batch);
    const off_t before = ::lseek(fd.get(), 0, SEEK_END);
    std::size_t written = 0;
    while (written < text.size()) {
      const ssize_t bytes = ::write(fd.get(), text.data() + written, text.size() - written);
      if (bytes < 0) {
        const int why = errno;
        // Half a batch would be read as one; without it the next try writes it once.
        if (written > 0 && ::ftruncate(fd.get(), before) != 0) {
          return fail_errno(why, "was written in part");
        }
        return again(why, "cannot be written");
      }
      written += static_cast<std::size_t>(bytes);
    }
    return {};
  }

 private:
  static Status again(int why, const char* what) {
    auto error = fail_errno(why, "{}", what).value();
    error.code = ErrorCode::kBusy;  // a full disk may be emptied, a directory made
    return tl::make_unexpected(std::move(error));
  }

  std::string path_;
};

}  // namespace

std::string json_lines(const PushBatch& batch) {
  const auto text = [](const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
  };
  std::string lines;
  for (const PushRow& row : batch.rows) {
    const double joules = static_cast<double>(row.energy_nj) / 1e9;
    const Json json{{"schema", "powertrace.push/1"},
                    {"start", format_rfc3339(batch.start_ms)},
                    {"end", format_rfc3339(batch.end_ms)},
                    {"node", batch.node},
                    {"scope", row.scope == PushScope::kNode ? "node" : "container"},
                    {"container_id", text(row.container_id)},
                    {"container_name", text(row.container)},
                    {"pod_uid", text(row.pod_uid)},
                    {"pod_name", text(row.pod)},
                    {"namespace", text(row.name_space)},
                    {"zone", row.zone},
                    {"joules", joules},
                    {"joules_total", static_cast<double>(row.total_nj) / 1e9},
                    {"watts", batch.seconds() > 0 ? Json(joules / batch.seconds()) : Json(nullptr)},
                    {"cpu_seconds", static_cast<double>(row.run_ns) / 1e9},
                    {"measured", batch.measured}};
    lines += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

std::unique_ptr<Sink> make_file_sink(std::string path) {
  return std::make_unique<FileSink>(std::move(path));
}

}  // namespace powertrace
