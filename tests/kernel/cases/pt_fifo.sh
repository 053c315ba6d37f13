# SPDX-License-Identifier: Apache-2.0
# A task that never gives up its CPU is in every window.
. /lib/tap.sh
. /lib/powertrace.sh

echo -1 >/proc/sys/kernel/sched_rt_runtime_us
trace_start fifo --window 200ms --interval 200ms --count 28
spin 4 1 50 &
facts pid $!
trace_end "top runs to its end beside a SCHED_FIFO hog" 0
wait
