# SPDX-License-Identifier: Apache-2.0
# Two sockets: a package zone each, energy from their own CPUs, one PMU reader per package.
. /lib/tap.sh

load_rapl power_pmu=1 idle_mw=0,0,0,1000,0 busy_mw=1000,0,0,0,0 has=1,0,0,1,0
is "each socket is a package" "$(zone_names)" \
    "intel-rapl:0=package-0 intel-rapl:0:0=dram intel-rapl:1=package-1 intel-rapl:1:0=dram"
is "one CPU of each reads its counters" "$(cat $POWER_PMU/cpumask)" 0,4

first=$(energy_of intel-rapl:0) second=$(energy_of intel-rapl:1) elapsed=$(energy_of intel-rapl:1:0)
taskset -c 6 timeout 2 sh -c 'while :; do :; done'
elapsed=$(($(energy_of intel-rapl:1:0) - elapsed))
within "load on CPU 6 is energy of package 1" $((($(energy_of intel-rapl:1) - second) * 100 / elapsed)) 85 150
within "not of package 0" $((($(energy_of intel-rapl:0) - first) * 100 / elapsed)) 0 50
unload_rapl
