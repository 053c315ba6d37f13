# SPDX-License-Identifier: Apache-2.0
# The same workload is found by its cgroup on v1 alone, on hybrid and on v2 mounts.
. /lib/tap.sh
. /lib/powertrace.sh

umount /sys/fs/cgroup 2>/dev/null
mount -t tmpfs cgroups /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/cpu,cpuacct
mount -t cgroup -o cpu,cpuacct cgroup /sys/fs/cgroup/cpu,cpuacct
mkdir /sys/fs/cgroup/cpu,cpuacct/work
trace_start v1 --by cgroup --interval 1s
in_cgroup cpu,cpuacct/work spin 1
snapshots 1
facts v1 $(($(cat /sys/fs/cgroup/cpu,cpuacct/work/cpuacct.usage) / 1000))
trace_stop "top runs on cgroup v1"

mkdir -p /sys/fs/cgroup/unified
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mkdir /sys/fs/cgroup/unified/work # as systemd and the container runtimes do: in both
trace_start hybrid --by cgroup --interval 1s
in_cgroup unified/work spin 1
snapshots 1
facts hybrid "$(cgroup_usec unified/work)"
trace_stop "top runs on hybrid cgroups"
rmdir /sys/fs/cgroup/unified/work /sys/fs/cgroup/cpu,cpuacct/work
umount /sys/fs/cgroup/unified /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup

cgroup_new work
trace_start v2 --by cgroup --interval 1s
in_cgroup work spin 1
snapshots 1
facts v2 "$(cgroup_usec work)"
trace_stop "top runs on cgroup v2"
rmdir /sys/fs/cgroup/work
