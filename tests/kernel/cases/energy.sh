# SPDX-License-Identifier: Apache-2.0
# Energy as a function of time alone, through many wraps, without a tolerance.
. /lib/tap.sh

load_rapl busy_mw=0,0,0,0,0 idle_mw=20000,5000,0,3000,35000 has=1,1,0,1,1 \
    range_uj=5000000,2000000,1,1000000,262143328850
epoch=$(param pt_fake_rapl epoch_ns)

predicted() { # ZONE RANGE_UJ MILLIWATTS SECONDS
    check "$1 counts $3 mW, modulo $2 uJ" zone_check $POWERCAP/$1/energy_uj $2 "$epoch" $3 1000 $4
    echo "# $out"
}
predicted intel-rapl:0 5000000 20000 3
predicted intel-rapl:0:0 2000000 5000 1
predicted intel-rapl:0:1 1000000 3000 1
predicted intel-rapl:1 262143328850 35000 1

is "a wrong formula is noticed" \
    "$(zone_check $POWERCAP/intel-rapl:0/energy_uj 5000000 "$epoch" 20100 1000 1 >/dev/null; echo $?)" 1
unload_rapl
