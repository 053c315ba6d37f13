# SPDX-License-Identifier: Apache-2.0
# Every compiler flag hangs on one INTERFACE target, so that no directory has flags of its own.
add_library(powertrace_options INTERFACE)
target_compile_options(powertrace_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wnon-virtual-dtor;-Wold-style-cast;-Woverloaded-virtual>
  $<$<BOOL:${POWERTRACE_WERROR}>:-Werror>
  $<$<CONFIG:Release>:-fstack-protector-strong;-D_FORTIFY_SOURCE=2>
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlaps in std::string at -O3 that are not there (GCC PR 105651).
  target_compile_options(powertrace_options INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()
if(CMAKE_UNITY_BUILD)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 20) # fewer parse headers more often, more leave cores idle at the end
  # g++ takes a source that is included by another for a header.
  target_compile_options(powertrace_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()
target_link_options(powertrace_options INTERFACE $<$<CONFIG:Release>:-Wl,-z,relro,-z,now>)
if(POWERTRACE_SANITIZE)
  target_compile_options(powertrace_options INTERFACE
    -fsanitize=${POWERTRACE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(powertrace_options INTERFACE -fsanitize=${POWERTRACE_SANITIZE})
endif()
if(POWERTRACE_FUZZ) # every library reports its coverage to the fuzzer
  target_compile_options(powertrace_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
