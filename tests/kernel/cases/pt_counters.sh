# SPDX-License-Identifier: Apache-2.0
# With the stand-in counters (2 GHz, 1.5 instructions per cycle) powertrace counts what they count, and what the
# real `perf stat -p` counts on the same hog meanwhile: every slice, and at the default budget beside a storm of
# forks.
. /lib/tap.sh
. /lib/powertrace.sh

perf_start() { # PID: counts it until it ends
    LD_LIBRARY_PATH=/lib/perf perf stat -x, -e cycles,instructions -p "$1" -o "/out/$name.perf" 2>/tmp/perf.err &
    perf=$!
    for _ in $(seq 300); do
        [ "$(ls -l /proc/$perf/fd 2>/dev/null | grep -c perf_event)" = 2 ] && break
        kill -0 $perf 2>/dev/null || break
        sleep 0.1
    done
    snapshots 1 # by then it has enabled what it opened
}

perf_end() {
    wait $perf
    status=$?
    is "perf counts beside it" "$status" 0
    [ "$status" = 0 ] || sed 's/^/#   /' /tmp/perf.err
}

counted() { # NAME COMMAND...: a hog with COMMAND beside it
    sh -c 'read -r _ </tmp/go && exec spin 4 1' &
    hog=$!
    facts "$1" $hog
    [ ! -x /bin/perf ] || perf_start $hog # else the host has said so
    facts "$1.from" "$(wc -l <"/out/$name.json")" # perf has not seen what it did before
    echo >/tmp/go
    shift
    "$@" >/dev/null
    wait $hog
    [ ! -x /bin/perf ] || perf_end
    snapshots 1
}

mkfifo /tmp/go
load_rapl cpu_pmu=1 cpu_mhz=2000 ipc_percent=150
trace_start always --counters always --interval 1s
counted always true
trace_stop "top runs with counters"

trace_start budget --interval 1s
counted budget forks 3 500
trace_stop "top runs with counters at the default budget"
unload_rapl
