// SPDX-License-Identifier: Apache-2.0
//
// main() of the tests that need the real kernel. Where it cannot load BPF they are skipped, and say
// why; a kernel that can load BPF and then fails a test fails.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>

#include <doctest/doctest.h>

#include "trace/tracer.hpp"

int main(int argc, char** argv) {
  const auto tracer = powertrace::Tracer::open({}, {});
  if (!tracer && (tracer.error().code == powertrace::ErrorCode::kPermission ||
                  tracer.error().code == powertrace::ErrorCode::kUnsupported)) {
    std::printf("skipped, because %s\n", tracer.error().message.c_str());
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
