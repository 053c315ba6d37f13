# SPDX-License-Identifier: Apache-2.0
# What a tool meets when the driver fails: the errno of the powercap class, not the driver's.
. /lib/tap.sh

load_rapl
zone=$POWERCAP/intel-rapl:0
parameters=/sys/module/pt_fake_rapl/parameters

echo 5 >$parameters/fail_errno
is "a failed read of energy is EINVAL" "$(errno_of cat $zone/energy_uj)" "Invalid argument"
is "a failed read of a limit is ENODATA" "$(errno_of cat $zone/constraint_0_power_limit_uw)" "No data available"
is "a failed write of a limit is ENODATA" \
    "$(errno_of write_to $zone/constraint_0_power_limit_uw 9000000)" "No data available"
echo 1 >$parameters/fail_kind
check "a fault can hit one kind of zone: package works" cat $zone/energy_uj
is "core does not" "$(errno_of cat $zone/intel-rapl:0:0/energy_uj)" "Invalid argument"
echo 0 >$parameters/fail_errno
check "and heal" cat $zone/intel-rapl:0:0/energy_uj

echo 1 >$parameters/locked
is "a locked limit refuses with ENODATA" \
    "$(errno_of write_to $zone/constraint_0_power_limit_uw 9000000)" "No data available"
is "a locked zone cannot be disabled: ENOSYS" "$(errno_of write_to $zone/enabled 0)" "Function not implemented"
is "and keeps its limit" "$(cat $zone/constraint_0_power_limit_uw)" 125000000
unload_rapl
