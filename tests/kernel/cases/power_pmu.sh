# SPDX-License-Identifier: Apache-2.0
# The perf PMU `power`, as arch/x86/events/rapl.c shows it.
. /lib/tap.sh

load_rapl power_pmu=1 busy_mw=0,0,0,0,0 idle_mw=10000,2000,0,3000,0
type=$(cat $POWER_PMU/type)
is "it names its events" "$(ls $POWER_PMU/events | grep -v '\.' | tr '\n' ' ')" "energy-cores energy-pkg energy-ram "
is "it counts Joules" "$(cat $POWER_PMU/events/energy-pkg.unit)" Joules
is "one CPU reads the package" "$(cat $POWER_PMU/cpumask)" 0

counts() { # EVENT CONFIG MILLIWATTS
    set -- "$@" $(perf_count "$type" "$2" 0 1000)
    within "$1 counts $3 mW" $(($4 * 1000000 >> 32)) $(($5 / 1000 * $3 / 1000 * 95 / 100)) \
        $(($5 / 1000 * $3 / 1000 * 105 / 100))
}
counts energy-cores 1 2000
counts energy-pkg 2 10000
counts energy-ram 3 3000
is "an unknown event is refused" "$(perf_count "$type" 9 0 1)" "errno 22"
is "it counts per CPU, not per task" "$(perf_count "$type" 2 -1 1)" "errno 22"
unload_rapl
