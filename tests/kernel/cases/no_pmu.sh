# SPDX-License-Identifier: Apache-2.0
# Emulated x86 has no hardware counters, only software clocks.
. /lib/tap.sh

is "cycles cannot be opened" "$(perf_count 0 0 -1 1)" "errno 2"
is "instructions cannot be opened" "$(perf_count 0 1 -1 1)" "errno 2"
check "the software CPU clock counts" perf_count 1 0 -1 10
