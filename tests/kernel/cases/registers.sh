# SPDX-License-Identifier: Apache-2.0
# The kernel's real intel_rapl_common on registers in memory.
. /lib/tap.sh

zone=$POWERCAP/intel-rapl:0
check "iosf_mbi loads" insmod /lib/iosf_mbi.ko
check "intel_rapl_common loads" insmod /lib/intel_rapl_common.ko
check "the registers load" insmod /lib/pt_rapl_regs.ko start_raw=0xfff80000

is "the real driver finds its zones" "$(zone_names)" \
    "intel-rapl:0=package-0 intel-rapl:0:0=core intel-rapl:0:1=dram"
is "the package's range is 2^32 units" "$(cat $zone/max_energy_range_uj)" 262143328850
is "dram has a unit and a range of its own" "$(cat $POWERCAP/intel-rapl:0:1/max_energy_range_uj)" 65712999613

first=$(energy_of intel-rapl:0)
sleep 3
within "the 32-bit counter is near its end" "$first" 262000000000 262143328850
within "and wraps" "$(energy_of intel-rapl:0)" 0 1000000000

check "a limit can be set" write_to $zone/constraint_0_power_limit_uw 50060000
is "it is rounded to 1/8 W" "$(cat $zone/constraint_0_power_limit_uw)" 50000000
check "999 uW are accepted" write_to $zone/constraint_0_power_limit_uw 999
is "as 0 W" "$(cat $zone/constraint_0_power_limit_uw)" 0
check "a time window can be set" write_to $zone/constraint_0_time_window_us 28000000
is "it is rounded to what the register can hold" "$(cat $zone/constraint_0_time_window_us)" 27983872
rmmod pt_rapl_regs

check "registers locked by the BIOS load" insmod /lib/pt_rapl_regs.ko lock=1
is "a locked limit refuses with ENODATA" \
    "$(errno_of write_to $zone/constraint_0_power_limit_uw 50000000)" "No data available"
is "a locked zone cannot be enabled: ENOSYS" "$(errno_of write_to $zone/enabled 1)" "Function not implemented"
rmmod pt_rapl_regs
