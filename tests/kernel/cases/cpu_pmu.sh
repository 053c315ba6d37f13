# SPDX-License-Identifier: Apache-2.0
# The stand-in counters: cycles and instructions follow the time an event was active.
. /lib/tap.sh

load_rapl cpu_pmu=1 cpu_mhz=2000 ipc_percent=150
set -- $(perf_count 0 0 -1 500)
within "a task's cycles are its CPU time x 2 GHz" "$1" $(($3 * 2 * 95 / 100)) $(($3 * 2 * 105 / 100))
set -- $(perf_count 0 1 -1 500)
within "its instructions are 1.5 per cycle" "$1" $(($3 * 3 * 95 / 100)) $(($3 * 3 * 105 / 100))
set -- $(perf_count 0 0 0 500)
within "a CPU's cycles are the time x 2 GHz" "$1" $(($2 * 2 * 95 / 100)) $(($2 * 2 * 105 / 100))
is "cache misses are not counted" "$(perf_count 0 3 -1 1)" "errno 2"
is "sampling is refused" "$(perf_count 0 0 -1 1 sample)" "errno 2"
unload_rapl
