# SPDX-License-Identifier: Apache-2.0
# What every other case relies on.
. /lib/tap.sh

check "the kernel shows its BTF" test -s /sys/kernel/btf/vmlinux
check "sched_switch is a tracepoint" test -d /sys/kernel/tracing/events/sched/sched_switch
mkdir -p /tmp/cgroup2
check "cgroup v2 mounts" mount -t cgroup2 cgroup2 /tmp/cgroup2
check "the scheduler accounts per cgroup" grep -q usage_usec /tmp/cgroup2/cpu.stat
umount /tmp/cgroup2
