# SPDX-License-Identifier: Apache-2.0
# CPUs go offline and come back while powertrace runs.
. /lib/tap.sh
. /lib/powertrace.sh

cpu=/sys/devices/system/cpu/cpu1/online
cgroup_new plug
trace_start hotplug --by cgroup --interval 1s --count 10
in_cgroup plug spin 6 &
snapshots 2
check "a CPU goes offline under it" write_to $cpu 0
snapshots 2
check "and comes back" write_to $cpu 1
snapshots 1
wait $!
snapshots 2
facts usec "$(cgroup_usec plug)"
trace_end "top runs to its end" 0
rmdir /sys/fs/cgroup/plug
