# SPDX-License-Identifier: Apache-2.0
# Builds for arm64 with Debian's cross compiler against a sysroot of Debian's arm64 packages:
#   cmake -S . -B build/arm64 -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/aarch64-linux-gnu.cmake
#         -DPOWERTRACE_SYSROOT=$(tests/kernel/sysroot.sh arm64 CACHE)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES POWERTRACE_SYSROOT)
if(NOT IS_DIRECTORY "${POWERTRACE_SYSROOT}/usr/include")
  message(FATAL_ERROR "POWERTRACE_SYSROOT='${POWERTRACE_SYSROOT}' is no sysroot: "
                      "tests/kernel/sysroot.sh arm64 makes one and prints its path")
endif()
set(CMAKE_SYSROOT ${POWERTRACE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH ${POWERTRACE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER) # clang, bpftool and pkg-config run here
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${POWERTRACE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${POWERTRACE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${POWERTRACE_SYSROOT}/usr/share/pkgconfig)
