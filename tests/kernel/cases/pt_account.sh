# SPDX-License-Identifier: Apache-2.0
# Run time per cgroup agrees with the kernel's own cpu.stat: for a hog, and for a fork storm.
. /lib/tap.sh
. /lib/powertrace.sh

cgroup_new hog
cgroup_new storm
trace_start account --by cgroup --interval 1s
in_cgroup hog spin 2
in_cgroup storm forks 2 500 >/tmp/children
snapshots 2
facts hog "$(cgroup_usec hog)"
facts storm "$(cgroup_usec storm)"
facts children "$(cat /tmp/children)"
trace_stop "top runs to the end"
rmdir /sys/fs/cgroup/hog /sys/fs/cgroup/storm
