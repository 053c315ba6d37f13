#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is wrong, there is one clear message and the exit status of the contract.
. "$(dirname "$0")/lib.sh"
pt=$POWERTRACE
cd "$E2E_DIR" || exit 1

# Usage: 2
refused 2 'no command is given' "$pt"
refused 2 'frobnicate' "$pt" frobnicate
refused 2 '--frobnicate' "$pt" top --frobnicate
refused 2 '--window' "$pt" top --window
refused 2 '--window.*"100"|--window.*100.*unit' "$pt" top --window 100
refused 2 '--window' "$pt" top --window 100parsecs
refused 2 '--window: 1ms is outside 5ms to 60s' "$pt" top --window 1ms
refused 2 '--window' "$pt" top --window -1s
refused 2 '--window' "$pt" top --window 999999999999999999999s
refused 2 '--interval 10ms is shorter than --window 100ms' "$pt" top --interval 10ms
refused 2 '--count: 0' "$pt" top --count 0
refused 2 '--count: 1.5' "$pt" top --count 1.5
refused 2 '--by.*"joule".*thread' "$pt" top --by joule
refused 2 '--sort.*"colour".*watts' "$pt" top --sort colour
refused 2 '--model.*"magic".*cycles' "$pt" top --model magic
refused 2 '--idle.*"never".*separate' "$pt" top --idle never
refused 2 '--idle-watts' "$pt" top --idle-watts -1
refused 2 '--idle-watts' "$pt" top --idle-watts nan
refused 2 '--counters.*"some".*sampled' "$pt" top --counters some
refused 2 '--overhead-budget' "$pt" top --overhead-budget 200%
refused 2 '--log-level.*"loud".*debug' "$pt" top --log-level loud
refused 2 '--source.*"coal".*powercap' "$pt" top --source coal
refused 2 '--source.*twice' "$pt" top --source powercap,powercap
refused 2 '--synthetic.*idle=lots' "$pt" top --synthetic idle=lots
refused 2 '--synthetic.*max=10 is less than idle=50' "$pt" top --synthetic idle=50,max=10
refused 2 '--synthetic.*"watts"' "$pt" top --synthetic watts=3
refused 2 '--by' "$pt" top --by "$(head -c 100000 /dev/zero | tr '\0' x)"
refused 2 '--by' "$pt" top --by $'\xff\xfe\x01'

# Configuration: 2, with the line
config() { # CONTENT: writes config.yaml
    printf '%b' "$1" >config.yaml
}
refused 2 '--config.*absent.yaml.*No such file' "$pt" --config absent.yaml top
refused 2 '--config.*directory' "$pt" --config / top
config 'source: auto\ntop:\n  windw: 1s\n'
refused 2 'config.yaml:3: unknown key "top.windw"; did you mean "top.window"\?' \
    "$pt" --config config.yaml top
config 'nonsense: 1\n'
refused 2 'config.yaml:1: unknown key "nonsense"' "$pt" --config config.yaml top
config 'top:\n  window: 100\n'
refused 2 '--window' "$pt" --config config.yaml top
config 'source: [perf, {a: b}]\n'
refused 2 'config.yaml:1' "$pt" --config config.yaml top
config 'idle: even\nidle: none\n'
refused 2 'config.yaml:2: "idle" is given twice' "$pt" --config config.yaml top
config 'top: {window: 1s\n'
refused 2 'config.yaml:[0-9]+' "$pt" --config config.yaml top
config 'just words\n'
refused 2 'config.yaml:1: expected' "$pt" --config config.yaml top
config 'a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n'
refused 2 'config.yaml:1' "$pt" --config config.yaml top
head -c 65536 /dev/urandom >config.yaml
refused 2 'config.yaml' "$pt" --config config.yaml top

# Places that are not what they should be
refused 3 '/absent/stat.*--procfs' "$pt" top --procfs /absent --sysfs /absent --source synthetic

# Privilege: 3, naming what is missing
if [ "$(id -u)" -ne 0 ]; then
    skip "the other checks need root"
fi
refused 3 'CAP_BPF and CAP_PERFMON' "${as_nobody[@]}" "$pt" top --batch --count 1
config 'idle: even\n'
chmod 600 config.yaml
refused 2 'config.yaml: Permission denied' "${as_nobody[@]}" "$pt" --config "$E2E_DIR/config.yaml" top

# Output that goes nowhere: 1, or 0 for a reader who has seen enough
to_full() {
    "$@" >/dev/full
}
for arguments in 'top --batch --count 1 --interval 200ms' 'top --json --count 1 --interval 200ms' \
    doctor 'doctor --json' --help 'top --help' --version; do
    # shellcheck disable=SC2086
    refused 1 'cannot write to standard output: No space left' to_full "$pt" $arguments
done
closed() {
    "$@" >&-
}
refused 1 'cannot write to standard output' closed "$pt" top --batch --count 1 --interval 200ms
first_line() {
    "$@" | head -n 1
    return "${PIPESTATUS[0]}"
}
run first_line "$pt" top --json --interval 200ms
check "a closed pipe ends it cleanly" [ "$status" -eq 0 ]
check "without a message" [ -z "$err" ]
check "after one object" matches "$out" '^\{"schema":"powertrace.snapshot/1".*\}$'

finish
