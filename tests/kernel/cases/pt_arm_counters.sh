# SPDX-License-Identifier: Apache-2.0
# The emulated arm64 PMU counts cycles at 1 GHz; powertrace uses them.
. /lib/tap.sh
. /lib/powertrace.sh

trace_start arm_counters --counters always --interval 1s --count 3
spin 60 1 &
trace_end "top runs with the arm64 PMU" 0
kill $!
