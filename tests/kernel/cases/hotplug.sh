# SPDX-License-Identifier: Apache-2.0
# What a CPU going offline and coming back does to sysfs.
. /lib/tap.sh

cpus=/sys/devices/system/cpu
before=$(cat $cpus/online)
check "a CPU goes offline" write_to $cpus/cpu1/online 0
is "it is not listed" "$(cat $cpus/online)" 0
is "its topology disappears" "$(ls $cpus/cpu1/topology 2>/dev/null)" ""
check "it comes back" write_to $cpus/cpu1/online 1
is "it is listed again" "$(cat $cpus/online)" "$before"
