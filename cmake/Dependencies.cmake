# SPDX-License-Identifier: Apache-2.0
# Every third-party library, found once, from distribution packages only. A missing one names the
# Debian package that brings it; tools/apt-packages.txt lists them all.
function(pt_require var package what)
  if(NOT ${var})
    message(FATAL_ERROR "powertrace needs ${what}: install the Debian package ${package} "
                        "(tools/run.sh and tools/test.sh install everything)")
  endif()
endfunction()

find_package(PkgConfig)
pt_require(PkgConfig_FOUND pkg-config "pkg-config")
find_package(Threads REQUIRED)
find_package(LibBpf 1.1)
pt_require(LibBpf_FOUND "libbpf-dev (with libelf-dev and zlib1g-dev)" "libbpf >= 1.1 as a static library")
find_package(BpfTool 7.1)
pt_require(BpfTool_FOUND bpftool "bpftool >= 7.1")

find_package(tl-expected QUIET)
pt_require(tl-expected_FOUND libexpected-dev "tl::expected")
find_package(fmt QUIET)
pt_require(fmt_FOUND libfmt-dev "fmt")
find_package(spdlog QUIET)
pt_require(spdlog_FOUND libspdlog-dev "spdlog")
find_package(CLI11 QUIET)
pt_require(CLI11_FOUND libcli11-dev "CLI11")
find_package(nlohmann_json QUIET)
pt_require(nlohmann_json_FOUND nlohmann-json3-dev "nlohmann/json")
find_package(yaml-cpp QUIET)
pt_require(yaml-cpp_FOUND libyaml-cpp-dev "yaml-cpp")
if(NOT TARGET yaml-cpp::yaml-cpp) # 0.7 exports the bare name only
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()
set(CURSES_NEED_WIDE ON)
find_package(Curses QUIET)
pt_require(CURSES_FOUND libncurses-dev "ncursesw")

if(BUILD_TESTING)
  find_package(doctest QUIET)
  pt_require(doctest_FOUND doctest-dev "doctest")
  find_package(benchmark QUIET)
  pt_require(benchmark_FOUND libbenchmark-dev "google-benchmark")
endif()
