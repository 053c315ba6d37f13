#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fake_rapl_ns.sh shows what its formula predicts, at the real path, and leaves nothing behind.
# TAP; 77: skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "skipped: needs root" && exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/probe.py" <<'EOF'
import os, sys, time

RANGE, MILLIWATTS, STEP_NS = 30_000_000, 20_000, 10_000_000
epoch = int(os.environ["FAKE_RAPL_EPOCH_NS"])
zone = "/sys/class/powercap/intel-rapl:0"
fd = os.open(f"{zone}/energy_uj", os.O_RDONLY)
time.sleep(1)
late = readings = wraps = last = 0
end = time.monotonic_ns() + 2_000_000_000
while time.monotonic_ns() < end:
    before = time.monotonic_ns()
    reading = int(os.pread(fd, 64, 0).split(b"\n")[0])
    after = time.monotonic_ns()
    ahead = (reading - (before - epoch) * MILLIWATTS // 1_000_000) % (RANGE + 1)
    behind = (RANGE + 1 - ahead) * 1_000_000 // MILLIWATTS
    if ahead > (after - before) * MILLIWATTS // 1_000_000 and behind > 20 * STEP_NS:
        sys.exit(f"{reading} uJ is {behind / 1e6} ms behind the formula")
    wraps += reading < last
    last = reading
    readings += 1
    time.sleep(0.003)
assert wraps >= 1, wraps
assert open(f"{zone}/name").read() == "package-0\n"
assert open("/sys/class/powercap/intel-rapl:0:1/name").read() == "dram\n"
sys.exit(5)
EOF
status=0
"$here/fake_rapl_ns.sh" --idle-mw 20000,5000,3000 --busy-mw 0,0,0 --range-uj 30000000 -- \
    python3 "$work/probe.py" || status=$?

failed=0
check() { # TEXT CONDITION...
    if "${@:2}"; then echo "ok - $1"; else echo "not ok - $1" && failed=1; fi
}
check "every reading follows the formula; the status is the command's" [ "$status" = 5 ]
check "no mount is left" [ "$(grep -c fake-rapl /proc/self/mounts)" = 0 ]
sleep 0.2
check "no writer is left" [ -z "$(pgrep -f "fake_rapl_writer.py 30000000")" ]
status=0
"$here/fake_rapl_ns.sh" --idle-mw x,y,z true 2>"$work/stderr" || status=$?
check "a power that is no number is refused" grep -q 'three numbers' "$work/stderr"
echo 1..4
exit "$failed"
