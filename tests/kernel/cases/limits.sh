# SPDX-License-Identifier: Apache-2.0
# Limits as RAPL has them: rounded to 1/8 W, time windows to 1/1024 s, and in force.
. /lib/tap.sh

load_rapl busy_mw=0,0,0,0,0 idle_mw=10000,1000,0,0,0
zone=$POWERCAP/intel-rapl:0

check "a limit can be set" write_to $zone/constraint_0_power_limit_uw 7777777
is "it is rounded down" "$(cat $zone/constraint_0_power_limit_uw)" 7750000
check "a tiny limit is taken" write_to $zone/constraint_1_power_limit_uw 999
is "and becomes 0" "$(cat $zone/constraint_1_power_limit_uw)" 0
check "a time window can be set" write_to $zone/constraint_0_time_window_us 1000000
is "it is rounded down too" "$(cat $zone/constraint_0_time_window_us)" 999424

power_mw() { # over a second; the core zone at 1 W is the clock
    joules=$(energy_of intel-rapl:0) clock=$(energy_of intel-rapl:0:0)
    sleep 1
    joules=$(($(energy_of intel-rapl:0) - joules)) clock=$(($(energy_of intel-rapl:0:0) - clock))
    echo $((joules * 1000 / clock))
}
within "power stays below the limit" "$(power_mw)" 7400 8100
check "the zone can be disabled" write_to $zone/enabled 0
within "then the limit does not hold" "$(power_mw)" 9500 10500
unload_rapl
