# SPDX-License-Identifier: Apache-2.0
# With the stand-in counters (2 GHz, 1.5 instructions per cycle) powertrace counts what they count:
# every slice, and at the default budget beside a storm of forks.
. /lib/tap.sh
. /lib/powertrace.sh

load_rapl cpu_pmu=1 cpu_mhz=2000 ipc_percent=150
trace_start always --counters always --interval 1s --count 3
spin 3 1 &
facts always $!
trace_end "top runs with counters" 0
wait

trace_start budget --interval 1s
spin 5 1 &
facts budget $!
forks 4 500 >/dev/null
wait $!
snapshots 1
trace_stop "top runs with counters at the default budget"
unload_rapl
