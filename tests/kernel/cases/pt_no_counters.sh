# SPDX-License-Identifier: Apache-2.0
# Without a PMU the model is time, and powertrace says so.
. /lib/tap.sh
. /lib/powertrace.sh

trace_start no_counters --interval 1s --count 3
spin 2 &
trace_end "top runs without a PMU" 0
wait
