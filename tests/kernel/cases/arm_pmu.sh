# SPDX-License-Identifier: Apache-2.0
# The emulated arm64 PMU: cycles at 1 GHz of virtual time, no instructions.
. /lib/tap.sh

set -- $(perf_count 0 0 -1 200)
within "cycles follow the CPU time at 1 GHz" "$1" $(($3 * 8 / 10)) $(($3 * 12 / 10))
check "cycles can be sampled" perf_count 0 0 -1 100 sample
is "instructions cannot be opened" "$(perf_count 0 1 -1 1)" "errno 2"
