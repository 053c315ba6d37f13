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

# The core zone, at a constant 1 W, is the clock: 1000 uJ are 1 ms. Read before and after the
# package, it bounds the package's power, however late this shell is; a bound too loose to tell 7.75 W from 10 W is taken again.
power_is() { # TEXT MILLIWATTS
    for _ in $(seq 10); do
        before=$(energy_of intel-rapl:0:0) package=$(energy_of intel-rapl:0) begin=$(energy_of intel-rapl:0:0)
        sleep 2
        end=$(energy_of intel-rapl:0:0) package=$(($(energy_of intel-rapl:0) - package)) after=$(energy_of intel-rapl:0:0)
        least=$((package * 1000 / (after - before))) most=$((package * 1000 / (end - begin)))
        [ $((most - least)) -gt 2000 ] || break
    done
    within "$1" "$2" $((least - 20)) $((most + 20)) # a step of the counters is 1 ms
    [ $((most - least)) -le 2000 ] || not_ok "$1: this guest is too slow to tell"
}
power_is "power stays at the limit" 7750
check "the zone can be disabled" write_to $zone/enabled 0
power_is "then the limit does not hold" 10000
unload_rapl
