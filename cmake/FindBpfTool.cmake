# SPDX-License-Identifier: Apache-2.0
# BpfTool_EXECUTABLE and BpfTool_VERSION. Debian installs it in /usr/sbin, off an ordinary PATH.
find_program(BpfTool_EXECUTABLE bpftool PATHS /usr/sbin /usr/local/sbin)
if(BpfTool_EXECUTABLE)
  execute_process(COMMAND ${BpfTool_EXECUTABLE} version OUTPUT_VARIABLE _out ERROR_QUIET)
  if(_out MATCHES "bpftool v([0-9.]+)")
    set(BpfTool_VERSION ${CMAKE_MATCH_1})
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BpfTool REQUIRED_VARS BpfTool_EXECUTABLE VERSION_VAR BpfTool_VERSION)
mark_as_advanced(BpfTool_EXECUTABLE)
