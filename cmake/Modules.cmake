# SPDX-License-Identifier: Apache-2.0
# pt_add_module(<name> SOURCES <file>... [DEPS <target>...] [PRIVATE_DEPS <target>...])
# One static library pt_<name> per src/<name>. DEPS may name only modules above it in
# docs/architecture.md; the linker enforces what tools/check_layers.py checks for includes.
function(pt_add_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(pt_${name} STATIC ${ARG_SOURCES})
  target_include_directories(pt_${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
  target_link_libraries(pt_${name} PUBLIC ${ARG_DEPS} PRIVATE powertrace_options ${ARG_PRIVATE_DEPS})
endfunction()

# pt_add_test(<name> SOURCES <file>... [DEPS <target>...] [LABEL unit|bpf|e2e])
# One doctest executable. Exit code 77 means skipped, and the test prints why. Tests labelled bpf
# bring a main() of their own, which finds out whether this kernel can run them; they run alone,
# because they measure the machine.
function(pt_add_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} doctest::doctest powertrace_options)
  if(NOT ARG_LABEL STREQUAL bpf)
    target_link_libraries(${name} PRIVATE pt_test_main)
  endif()
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_test(NAME ${ARG_LABEL}/${name} COMMAND ${name})
  set_tests_properties(${ARG_LABEL}/${name} PROPERTIES LABELS ${ARG_LABEL} SKIP_RETURN_CODE 77)
  if(NOT ARG_LABEL STREQUAL e2e)
    add_dependencies(sanitized_tests ${name})
  endif()
  if(ARG_LABEL STREQUAL bpf)
    set_tests_properties(${ARG_LABEL}/${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

# pt_add_fuzz(<name> SOURCES <file>... [DEPS <target>...])
# One libFuzzer target, only with POWERTRACE_FUZZ; the test is a smoke run.
function(pt_add_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} powertrace_options)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz/${name} COMMAND ${name} -max_total_time=3 -verbosity=0)
  set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz)
  add_dependencies(fuzz_targets ${name})
endfunction()
