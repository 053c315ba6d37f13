# SPDX-License-Identifier: Apache-2.0
# Two sockets: the energy of each goes to the tasks that ran on it.
. /lib/tap.sh
. /lib/powertrace.sh

load_rapl busy_mw=0,0,0,0,0 idle_mw=20000,0,0,3000,0 has=1,0,0,1,0
trace_start sockets --source powercap --interval 1s --count 6
spin 3 6 &
facts pid $!
trace_end "top runs on two sockets" 0
wait
unload_rapl
