# SPDX-License-Identifier: Apache-2.0
# With the stand-in counters (2 GHz, 1.5 instructions per cycle) powertrace counts what they count.
. /lib/tap.sh
. /lib/powertrace.sh

load_rapl cpu_pmu=1 cpu_mhz=2000 ipc_percent=150
trace_start counters --counters always --interval 1s --count 3
spin 3 1 &
facts pid $!
trace_end "top runs with counters" 0
wait
unload_rapl
