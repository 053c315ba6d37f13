# SPDX-License-Identifier: Apache-2.0
# add_bpf_skeleton(<name> SOURCES <x.bpf.c>... [INCLUDES <dir>...] [ARCH x86|arm64])
# clang -target bpf per source with a depfile, `bpftool gen object` (links, drops DWARF), then
# <name>.skel.h. Link <name>_skel_<arch> to use it.
find_program(POWERTRACE_BPF_CLANG NAMES clang clang-19 clang-16 clang-14
             DOC "clang used for -target bpf, independent of the C++ compiler")
pt_require(POWERTRACE_BPF_CLANG clang "clang for the BPF programs")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(_native x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(_native arm64)
else()
  message(FATAL_ERROR "powertrace has no BPF build for ${CMAKE_SYSTEM_PROCESSOR}: "
                      "x86_64 and arm64 are supported")
endif()
set(POWERTRACE_BPF_ARCH ${_native} CACHE STRING "__TARGET_ARCH_* of the BPF programs: x86 or arm64")

function(add_bpf_skeleton name)
  cmake_parse_arguments(ARG "" "ARCH" "SOURCES;INCLUDES" ${ARGN})
  if(NOT ARG_ARCH)
    set(ARG_ARCH ${POWERTRACE_BPF_ARCH})
  endif()
  list(TRANSFORM ARG_INCLUDES PREPEND "-I" OUTPUT_VARIABLE _inc)
  get_target_property(_libbpf_inc LibBpf::LibBpf INTERFACE_INCLUDE_DIRECTORIES)
  set(_out "${CMAKE_CURRENT_BINARY_DIR}/${ARG_ARCH}")
  file(MAKE_DIRECTORY ${_out})
  set(_objs)
  foreach(src IN LISTS ARG_SOURCES)
    cmake_path(GET src STEM LAST_ONLY _stem)
    set(_obj "${_out}/${_stem}.o")
    add_custom_command(OUTPUT ${_obj}
      COMMAND ${POWERTRACE_BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror
              -Wno-unused-parameter -D__TARGET_ARCH_${ARG_ARCH}
              ${_inc} -idirafter ${_libbpf_inc} -fdebug-prefix-map=${PROJECT_SOURCE_DIR}=.
              -MD -MF ${_obj}.d -MT ${_obj} -c ${CMAKE_CURRENT_SOURCE_DIR}/${src} -o ${_obj}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${src}
      DEPFILE ${_obj}.d
      COMMENT "BPF ${ARG_ARCH}/${_stem}.o" VERBATIM)
    list(APPEND _objs ${_obj})
  endforeach()
  set(_linked "${_out}/${name}.linked.o")
  set(_skel "${_out}/${name}.skel.h")
  add_custom_command(OUTPUT ${_linked}
    COMMAND ${BpfTool_EXECUTABLE} gen object ${_linked} ${_objs}
    DEPENDS ${_objs} VERBATIM)
  add_custom_command(OUTPUT ${_skel}
    COMMAND ${BpfTool_EXECUTABLE} gen skeleton ${_linked} name ${name}_bpf > ${_skel}
    DEPENDS ${_linked} COMMENT "BPF skeleton ${ARG_ARCH}/${name}.skel.h" VERBATIM)
  add_custom_target(${name}_skel_gen_${ARG_ARCH} DEPENDS ${_skel})
  add_dependencies(generated ${name}_skel_gen_${ARG_ARCH})
  add_library(${name}_skel_${ARG_ARCH} INTERFACE)
  add_dependencies(${name}_skel_${ARG_ARCH} ${name}_skel_gen_${ARG_ARCH})
  target_include_directories(${name}_skel_${ARG_ARCH} SYSTEM INTERFACE "${_out}")
  target_link_libraries(${name}_skel_${ARG_ARCH} INTERFACE LibBpf::LibBpf)
endfunction()
