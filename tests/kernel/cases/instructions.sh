# SPDX-License-Identifier: Apache-2.0
# With -icount the emulated arm64 PMU also counts instructions, one per cycle.
. /lib/tap.sh

set -- $(perf_count 0 0 -1 200)
within "cycles follow the CPU time" "$1" $(($3 * 98 / 100)) $(($3 * 102 / 100))
set -- $(perf_count 0 1 -1 200)
within "instructions follow the CPU time" "$1" $(($3 * 98 / 100)) $(($3 * 102 / 100))
