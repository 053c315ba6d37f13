# SPDX-License-Identifier: Apache-2.0
# A busy CPU goes offline and comes back while powertrace runs: no run time is lost or invented. Nor on
# one that was offline when it started.
. /lib/tap.sh
. /lib/powertrace.sh

cpu=/sys/devices/system/cpu/cpu1/online
cgroup_new plug
trace_start hotplug --by cgroup --interval 1s
in_cgroup plug spin 4 &
snapshots 1
check "a CPU goes offline under it" write_to $cpu 0
snapshots 1
check "and comes back" write_to $cpu 1
snapshots 1
wait $!
snapshots 2
facts usec "$(cgroup_usec plug)"
trace_stop "top runs to the end"
rmdir /sys/fs/cgroup/plug

cgroup_new late
write_to $cpu 0
trace_start late --by cgroup --interval 1s
write_to $cpu 1
snapshots 1
in_cgroup late spin 1 1
snapshots 1
facts late "$(cgroup_usec late)"
trace_stop "top runs on though a CPU came"
rmdir /sys/fs/cgroup/late
