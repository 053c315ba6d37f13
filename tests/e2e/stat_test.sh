#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# powertrace stat on this kernel: whose time it sees, what it passes on, what it prints.
# shellcheck disable=SC2016 # the dollars are those of the commands under test
. "$(dirname "$0")/lib.sh"
for tool in python3 stress-ng setsid script; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done
stat=("$POWERTRACE" --source synthetic --log-level error stat)
run "${stat[@]}" -- true
[ "$status" -ne 3 ] || skip "$err"
json=$E2E_DIR/json

# measure STAT-OPTION... -- CMD...: runs it; the result is for holds().
measure() {
    run "${stat[@]}" --json -o "$json" "$@"
}
# value EXPRESSION [FILE]: of the result `all` and its first run `run`.
value() {
    python3 -c '
import json, sys
with open(sys.argv[2]) as file:
    all = json.load(file)
run = all["runs"][0]
used = run["user_s"] + run["system_s"]  # as getrusage() has it
print(eval(sys.argv[1]))' "$1" "${2:-$json}"
}
# holds WHAT EXPRESSION: which is true of the result.
holds() {
    out=$(cat "$json")
    check "$1: $2" [ "$(value "$2")" = True ]
}
wait_for() { # FILE, for half a minute
    local i
    for ((i = 0; i < 600; i++)); do
        [ ! -s "$1" ] || return 0
        sleep 0.05
    done
    return 1
}

# --- Whose time it sees: what the kernel gave the command and the children it waited for.
measure -- stress-ng --cpu 1 -t 2
check "stress-ng's exit status" [ "$status" -eq 0 ]
holds "a hog's CPU time is its rusage, within 2 %" 'abs(run["cpu_seconds"] / used - 1) < 0.02'
holds "a hog runs" 'run["cpu_seconds"] > 0.1'
holds "energy has an uncertainty" '0 < run["plus_minus_joules"]'
holds "energy is a part of the machine's" '0 < run["joules"] <= run["machine_joules"]'

measure -- sh -c 'i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i + 1)); done'
# More than that: who was waited for may still have a bit of its exit to run, which rusage misses.
holds "a fork storm's CPU time is 99 % of its rusage" '0.99 < run["cpu_seconds"] / used < 1.3'
holds "every child is seen" 'run["processes"] == run["threads"] == 501'
holds "nothing was lost" 'run["lost"] == {"slots": 0, "events": 0}'

# The daemon's parents are gone long before it works: rusage knows nothing of it.
spin='i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'
measure -- sh -c "(setsid sh -c '($spin; echo >$E2E_DIR/done) &' &)
                  while [ ! -e $E2E_DIR/done ]; do sleep 0.05; done"
holds "a daemon counts while the command runs" 'run["cpu_seconds"] > used + 0.03'
measure -- sh -c 'sleep 2 & exec true'
holds "one that lives on is not waited for, but told" 'run["survivors"] == 1'

measure -- true
holds "a command shorter than a window is measured" 'run["joules"] > 0 and run["cpu_seconds"] > 0'
holds "its window ends when it does" 'run["windows"] >= 1 and run["interval_s"] < run["elapsed_s"] + 0.5'

# --- Equal work, equal energy, however it forks. Idle power is given and the estimate linear, so
# that a CPU second has one price whatever else runs.
fixed=("$POWERTRACE" --source synthetic --synthetic "idle=20,max=100,curve=linear" --idle-watts 20)
loop='for ((i = 0; i < n; i++)); do :; done'
"${fixed[@]}" stat --json -o "$E2E_DIR/one" -- \
    bash -c "n=100000; for ((k = 0; k < 15; k++)); do $loop; done" &
one=$!
run "${fixed[@]}" stat --json -o "$E2E_DIR/many" -- \
    bash -c "for ((k = 0; k < 75; k++)); do bash -c 'n=20000; $loop'; done"
wait "$one"
one_price=$(value 'run["joules"] / run["cpu_seconds"]' "$E2E_DIR/one")
many_price=$(value 'run["joules"] / run["cpu_seconds"]' "$E2E_DIR/many")
check "a CPU second of one process ($one_price J) is worth one of many ($many_price J)" \
    python3 -c "import sys; sys.exit(not 0.9 < $one_price / $many_price < 1.1)"

# --- What it passes on.
run "${stat[@]}" -- sh -c 'exit 7'
check "the exit status" [ "$status" -eq 7 ]
check "the table tells it" matches "$err" 'exit status 7'
run "${stat[@]}" -- sh -c 'kill -KILL $$'
check "death by a signal" [ "$status" -eq 137 ]
refused 127 'No such file' "${stat[@]}" -- "$E2E_DIR/no such program"
refused 126 'Permission denied' "${stat[@]}" -- /etc/passwd
refused 2 'after --' "${stat[@]}"
refused 2 'after --' "${stat[@]}" sleep 1
refused 2 'exclude each other' "${stat[@]}" --json --csv -- true
refused 2 'whole number' "${stat[@]}" -r 0 -- true
refused 2 'only commands such as stat' "$POWERTRACE" top -- true
refused 1 'No such file' "${stat[@]}" -o "$E2E_DIR/no/such/dir" -- touch "$E2E_DIR/ran"
check "a command whose result cannot be written does not run" [ ! -e "$E2E_DIR/ran" ]
if [ "$(id -u)" -eq 0 ]; then
    refused 3 'CAP_' "${as_nobody[@]}" "${stat[@]}" -- touch "$E2E_DIR/ran"
    check "nor does one that cannot be measured" [ ! -e "$E2E_DIR/ran" ]
fi
check "standard input and output" [ "$(echo text | "${stat[@]}" -- cat 2>/dev/null)" = text ]
inherited='ls /proc/self/fd; grep -E "^Sig(Blk|Ign)" /proc/self/status; env | grep -vE "^(_|SHLVL)="'
check "descriptors, signals and environment" [ "$(bash -c "$inherited" 2>/dev/null)" = \
    "$("${stat[@]}" -- bash -c "$inherited" 2>/dev/null)" ]

for signal in TERM HUP USR1; do
    "${stat[@]}" -o "$E2E_DIR/table" -- sh -c "echo \$\$ >$E2E_DIR/pid; exec sleep 60" &
    running=$!
    check "the command starts" wait_for "$E2E_DIR/pid"
    kill -"$signal" "$running"
    wait "$running"
    status=$?
    check "SIG$signal is passed on" [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
    check "SIG$signal: the result so far" grep -q 'ended by signal' "$E2E_DIR/table"
    rm -f "$E2E_DIR/pid"
done
run "${stat[@]}" --json -o "$json" -r 5 -- sh -c 'kill -TERM $PPID; sleep 60'
check "a signal ends the repetition" [ "$status" -eq 143 ]
holds "what was cut short says so" 'all["interrupted"] and len(all["runs"]) == 1'

# Ctrl-C at a terminal reaches the command once, from the terminal.
cat >"$E2E_DIR/interrupted" <<EOF
n=0
trap 'n=\$((n + 1))' INT
echo ready >$E2E_DIR/ready
while [ \$n -eq 0 ]; do sleep 0.05; done
sleep 0.3
echo \$n >$E2E_DIR/signals
EOF
{
    wait_for "$E2E_DIR/ready"
    printf '\003'
    wait_for "$E2E_DIR/signals"
} | timeout 90 script -qec "${stat[*]} -o $E2E_DIR/table -- sh $E2E_DIR/interrupted" /dev/null >/dev/null
check "Ctrl-C" [ "$(cat "$E2E_DIR/signals")" = 1 ]

# --- What it prints.
measure -r 3 -- true
holds "the schema" 'all["schema"] == "powertrace.stat/1" and all["command"] == ["true"]'
holds "three runs" 'len(all["runs"]) == all["runs_wanted"] == 3 and not all["interrupted"]'
holds "the mean" 'abs(sum(r["joules"] for r in all["runs"]) / 3 - all["mean"]["joules"]) < 1e-9'
holds "the deviation" 'all["stddev"]["joules"] >= 0'
holds "zones make up the energy" \
    'abs(sum(z["joules"] for z in run["zones"] if z["in_total"]) - run["joules"]) < 1e-9'
holds "an estimate says so" 'not all["source"]["measured"] and all["source"]["expected_error"] > 0'
run "${stat[@]}" --json -- echo hello
check "--json: the command's output, then one line" \
    [ "${out%%:*} $(wc -l <<<"$out")" = $'hello\n{"schema" 2' ]
run "${stat[@]}" --csv -r 2 -- true
check "--csv: a header, two runs, mean and deviation" [ "$(wc -l <<<"$out")" -eq 5 ]
run "${stat[@]}" -- echo hello
check "the table leaves standard output alone" [ "$out" = hello ]
check "the table" matches "$err" "Energy of 'echo hello' and its descendants"

finish
