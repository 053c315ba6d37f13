# SPDX-License-Identifier: Apache-2.0
# The three ways a system can mount cgroups: v2 alone, v1 alone, and both (hybrid).
. /lib/tap.sh

mkdir -p /tmp/v1 /tmp/v2
check "cgroup v1 mounts with cpu,cpuacct" mount -t cgroup -o cpu,cpuacct cgroup /tmp/v1
check "cgroup v2 mounts beside it" mount -t cgroup2 cgroup2 /tmp/v2
mkdir /tmp/v1/group /tmp/v2/group
check "a task joins a v1 group" write_to /tmp/v1/group/cgroup.procs 1
check "a task joins a v2 group" write_to /tmp/v2/group/cgroup.procs 1
is "it is in both" "$(grep -c '/group$' /proc/1/cgroup)" 2
check "it leaves the v1 group" write_to /tmp/v1/cgroup.procs 1
check "it leaves the v2 group" write_to /tmp/v2/cgroup.procs 1
rmdir /tmp/v1/group /tmp/v2/group
umount /tmp/v1 /tmp/v2
