#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# powertrace doctor: exit status, messages and JSON on this machine and on crippled ones.
. "$(dirname "$0")/lib.sh"
pt=$POWERTRACE
[ "$(id -u)" -eq 0 ] || skip "needs root"

# finding ID: "status remedy-or-null" of it in $out
finding() {
    python3 -c '
import json, sys
doctor = json.loads(sys.stdin.read())
for finding in doctor["findings"]:
    if finding["id"] == sys.argv[1]:
        print(finding["status"], finding["remedy"])
' "$1" <<<"$out"
}

# sound: the JSON in $out keeps the contract and goes with $status
sound() {
    STATUS=$status python3 -c '
import json, os, sys
doctor = json.loads(sys.stdin.read())
assert doctor["schema"] == "powertrace.doctor/1", doctor
rank = ["ok", "limited", "missing"]
worst = max(rank.index(finding["status"]) for finding in doctor["findings"])
assert doctor["status"] == rank[worst], doctor["status"]
assert int(os.environ["STATUS"]) == [0, 1, 3][worst], os.environ["STATUS"]
ids = [finding["id"] for finding in doctor["findings"]]
assert len(set(ids)) == len(ids) > 15, ids
for finding in doctor["findings"]:
    assert set(finding) == {"id", "status", "what", "why", "remedy"}, finding
    assert finding["what"], finding
    if finding["status"] != "ok":
        assert finding["why"] and finding["remedy"], finding
' <<<"$out"
}

# As root: the programs load here, whatever else is limited.
run "$pt" doctor --json
check "the JSON is sound" sound
check "no errors" [ -z "$err" ]
check "BTF is there" matches "$(finding kernel.btf)" '^ok'
check "BPF works" matches "$(finding trace.bpf)" '^(ok|limited)'
run "$pt" doctor
check "the text says the same" matches "$out" 'ok +kernel.btf '
check "no colour in a pipe" [ "${out//$'\x1b'/}" = "$out" ]
check "a verdict at the end" matches "$(tail -n 1 <<<"$out")" '^powertrace works here'

# As nobody: it works, and says which privileges are missing.
run "${as_nobody[@]}" "$pt" doctor --json
check "the JSON is sound" sound
check "exit status 3" [ "$status" -eq 3 ]
check "CAP_BPF is missing" matches "$(finding privilege.bpf)" '^missing .*setcap'
check "CAP_PERFMON is missing" matches "$(finding privilege.perfmon)" '^missing'
check "the programs do not load" matches "$(finding trace.bpf)" '^missing .*root'
run "${as_nobody[@]}" "$pt" doctor
check "exit status 3 with text too" [ "$status" -eq 3 ]
check "a verdict at the end" matches "$(tail -n 1 <<<"$out")" '^powertrace cannot work here: 3 missing'

# With the two capabilities and no more, the programs load.
run setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +bpf,+perfmon \
    --ambient-caps +bpf,+perfmon -- "$pt" doctor --json
check "the JSON is sound" sound
check "BPF works" matches "$(finding trace.bpf)" '^(ok|limited)'

# Without BTF.
mkdir -p "$E2E_DIR/sys/kernel"
for directory in /sys/*/; do
    name=$(basename "$directory")
    [ "$name" = kernel ] || ln -s "$directory" "$E2E_DIR/sys/$name"
done
run "$pt" doctor --sysfs "$E2E_DIR/sys" --json
check "the JSON is sound" sound
check "exit status 3" [ "$status" -eq 3 ]
check "BTF is missing, with a remedy" matches "$(finding kernel.btf)" '^missing .*CONFIG_DEBUG_INFO_BTF'

# Without anything.
run "$pt" doctor --sysfs /absent --procfs /absent --json
check "the JSON is sound" sound
check "no source is left" matches "$(finding energy.source)" '^missing'

# With RAPL zones that move: nothing to say about energy.
# shellcheck disable=SC2016
run "$(dirname "$0")/../support/fake_rapl_ns.sh" -- bash -c '
    while [ "$(cat /sys/class/powercap/intel-rapl:0/energy_uj)" = 0 ]; do sleep 0.05; done
    exec "$0" "$@"' "$pt" doctor --json --source powercap
if [ -z "$out" ]; then
    skip "no private mounts here: ${err##*$'\n'}"
fi
check "the JSON is sound" sound
check "powercap is taken" matches "$(finding energy.source.powercap)" '^ok'
check "its package moves" matches "$(finding energy.zone.package-0)" '^ok'

finish
