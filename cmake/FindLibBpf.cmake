# SPDX-License-Identifier: Apache-2.0
# LibBpf::LibBpf with libelf and zlib. Static by default: the binary then does not depend on which
# libbpf the host has, which matters because libbpf decides what a kernel feature probe means.
option(POWERTRACE_STATIC_LIBBPF "Link libbpf statically" ON)
find_package(PkgConfig QUIET)
pkg_check_modules(PC_LIBBPF QUIET libbpf)
find_path(LibBpf_INCLUDE_DIR bpf/libbpf.h HINTS ${PC_LIBBPF_INCLUDE_DIRS})
if(POWERTRACE_STATIC_LIBBPF)
  find_library(LibBpf_LIBRARY NAMES libbpf.a HINTS ${PC_LIBBPF_LIBRARY_DIRS})
else()
  find_library(LibBpf_LIBRARY NAMES bpf HINTS ${PC_LIBBPF_LIBRARY_DIRS})
endif()
set(LibBpf_VERSION ${PC_LIBBPF_VERSION})
find_library(LibElf_LIBRARY elf)
find_package(ZLIB QUIET)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibBpf
  REQUIRED_VARS LibBpf_LIBRARY LibBpf_INCLUDE_DIR LibElf_LIBRARY ZLIB_FOUND
  VERSION_VAR LibBpf_VERSION)
if(LibBpf_FOUND AND NOT TARGET LibBpf::LibBpf)
  add_library(LibBpf::LibBpf UNKNOWN IMPORTED)
  set_target_properties(LibBpf::LibBpf PROPERTIES
    IMPORTED_LOCATION "${LibBpf_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LibBpf_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${LibElf_LIBRARY};ZLIB::ZLIB")
endif()
mark_as_advanced(LibBpf_INCLUDE_DIR LibBpf_LIBRARY LibElf_LIBRARY)
