# SPDX-License-Identifier: Apache-2.0
# Energy that follows the load: at 1 W per busy CPU the package counts busy time, in ms, while the
# core zone at a constant 1 W counts elapsed time.
. /lib/tap.sh

load_rapl idle_mw=0,1000,0,0,0 busy_mw=1000,0,0,0,0

busy_percent() { # COMMAND...
    busy=$(energy_of intel-rapl:0) elapsed=$(energy_of intel-rapl:0:0)
    "$@"
    busy=$(($(energy_of intel-rapl:0) - busy)) elapsed=$(($(energy_of intel-rapl:0:0) - elapsed))
    echo $((busy * 100 / elapsed))
}
spin() {
    for _ in $(seq "$1"); do
        timeout 2 sh -c 'while :; do :; done' &
    done
    wait
}
within "an idle machine is idle" "$(busy_percent sleep 2)" 0 25
within "one busy CPU counts once" "$(busy_percent spin 1)" 90 125
within "two busy CPUs count twice" "$(busy_percent spin 2)" 180 205
unload_rapl
