// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value or an Error. The only file that names the library behind it. powertrace throws
// no exceptions of its own; code that calls a throwing library turns its exceptions into Errors.
#pragma once

#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace powertrace {

// Few, and each asks for a different reaction. main() maps them to exit codes.
enum class ErrorCode {
  kPermission,   // a privilege is missing; the message names it      -> exit 3
  kUnsupported,  // this kernel or machine cannot do it               -> exit 3
  kUsage,        // wrong option, unit or configuration               -> exit 2
  kNotFound,     // a file, process or cgroup does not exist          -> exit 1
  kMalformed,    // input that does not parse                         -> exit 1
  kBusy,         // somebody else holds it                            -> exit 1
  kIo,           // the system said no                                -> exit 1
  kInternal,     // a bug in powertrace                               -> exit 1
};

// `message` is for people: what failed, on what, why and what to do about it.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  int sys_errno = 0;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

template <typename... Args>
tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, 0, fmt::format(format, std::forward<Args>(args)...)});
}

// Appends the text of `sys_errno` and, where the code can be told from it, sets it.
template <typename... Args>
tl::unexpected<Error> fail_errno(int sys_errno,
                                 fmt::format_string<Args...> format,
                                 Args&&... args) {
  ErrorCode code = ErrorCode::kIo;
  if (sys_errno == EPERM || sys_errno == EACCES) {
    code = ErrorCode::kPermission;
  } else if (sys_errno == ENOENT || sys_errno == ESRCH) {
    code = ErrorCode::kNotFound;
  }
  return tl::unexpected<Error>(
      Error{code, sys_errno,
            fmt::format(format, std::forward<Args>(args)...) + ": " + std::strerror(sys_errno)});
}

// "context: message", for an error on its way up.
inline Error with_context(Error error, const std::string& context) {
  error.message = context + ": " + error.message;
  return error;
}

}  // namespace powertrace

#define PT_CONCAT_(a, b) a##b
#define PT_CONCAT(a, b) PT_CONCAT_(a, b)

// Returns the error of a Status (or any Result) to the caller.
#define PT_TRY(expr)                                     \
  do {                                                   \
    auto pt_try_result = (expr);                         \
    if (!pt_try_result) {                                \
      return tl::make_unexpected(pt_try_result.error()); \
    }                                                    \
  } while (false)

// PT_ASSIGN(auto x, f()): x is the value of f(), or the error is returned.
#define PT_ASSIGN(var, expr) PT_ASSIGN_(PT_CONCAT(pt_assign_, __LINE__), var, expr)
#define PT_ASSIGN_(tmp, var, expr)           \
  auto tmp = (expr);                         \
  if (!tmp) {                                \
    return tl::make_unexpected(tmp.error()); \
  }                                          \
  var = std::move(*tmp)
