#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() {
    cat <<'EOF'
usage: fake_rapl_ns.sh [OPTION]... [--] COMMAND...
Runs COMMAND where /sys/class/powercap has a live RAPL at its real path: one package with its core
and dram zones. Nothing else on the machine sees it (private mount namespace), so powertrace and
other tools can be compared on the same "hardware". Needs root. The status is COMMAND's.

  --idle-mw P,C,D   constant power of package, core, dram (default 20000,5000,3000)
  --busy-mw P,C,D   power added by each busy CPU (default 15000,12000,1000)
  --range-uj N      where the counters wrap (default 262143328850)
  --step-ms N       how often they move (default 10)

Energy is exactly idle * elapsed + busy * busy CPU time since FAKE_RAPL_EPOCH_NS (CLOCK_MONOTONIC),
which COMMAND finds in its environment.
EOF
}

die() {
    echo "fake_rapl_ns.sh: $*" >&2
    exit 1
}

idle=20000,5000,3000 busy=15000,12000,1000 range=262143328850 step=10 inside=''
while [ $# -gt 0 ]; do
    case $1 in
    --idle-mw) idle=${2:?} && shift 2 ;;
    --busy-mw) busy=${2:?} && shift 2 ;;
    --range-uj) range=${2:?} && shift 2 ;;
    --step-ms) step=${2:?} && shift 2 ;;
    --inside) inside=${2:?} && shift 2 ;; # not for users: the second half, in the namespace
    --help) usage && exit 0 ;;
    --) shift && break ;;
    -*) usage >&2 && exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || { usage >&2 && exit 2; }
[[ $idle,$busy,$range,$step =~ ^([0-9]+,){7}[0-9]+$ ]] || die "powers are three numbers each, range and step one"

if [ -z "$inside" ]; then
    [ "$(id -u)" = 0 ] || die "needs root, for a mount namespace"
    here=$(cd "$(dirname "$0")" && pwd)
    scratch=$(mktemp -d)
    trap 'rmdir "$scratch"' EXIT # the mounts on it end with the namespace
    status=0
    unshare --mount --propagation private "$here/$(basename "$0")" --inside "$scratch" \
        --idle-mw "$idle" --busy-mw "$busy" --range-uj "$range" --step-ms "$step" -- "$@" || status=$?
    exit "$status"
fi

mount -t tmpfs fake-rapl "$inside"
for directory in /sys/class /sys/devices/virtual; do
    layer=$inside/$(basename "$directory")
    mkdir -p "$layer"/{upper,work}
    mount -t overlay overlay -o "lowerdir=$directory,upperdir=$layer/upper,workdir=$layer/work" "$directory" ||
        die "this kernel does not lay an overlay over $directory"
    mkdir -p "$directory/powercap"
    mount -t tmpfs fake-rapl "$directory/powercap" # hides a real RAPL
done

zone() { # DIRECTORY NAME
    mkdir -p "$1"
    echo "$2" >"$1/name"
    echo "$range" >"$1/max_energy_range_uj"
    echo 0 >"$1/energy_uj"
    echo 1 >"$1/enabled"
    echo long_term >"$1/constraint_0_name"
    echo 125000000 >"$1/constraint_0_power_limit_uw"
    echo 27983872 >"$1/constraint_0_time_window_us"
    chmod 400 "$1/energy_uj"
    chmod 444 "$1/name" "$1/max_energy_range_uj" "$1/constraint_0_name"
    ln -s "../../devices/virtual/powercap/${1#/sys/devices/virtual/powercap/}" "/sys/class/powercap/$(basename "$1")"
}
root=/sys/devices/virtual/powercap/intel-rapl
zone $root/intel-rapl:0 package-0
zone $root/intel-rapl:0/intel-rapl:0:0 core
zone $root/intel-rapl:0/intel-rapl:0:1 dram
echo 1 >$root/enabled
ln -s ../../devices/virtual/powercap/intel-rapl /sys/class/powercap/intel-rapl

FAKE_RAPL_EPOCH_NS=$(python3 -c 'import time; print(time.monotonic_ns())')
export FAKE_RAPL_EPOCH_NS
"$(dirname "$0")/fake_rapl_writer.py" "$range" "$step" "$idle" "$busy" \
    $root/intel-rapl:0 $root/intel-rapl:0/intel-rapl:0:0 $root/intel-rapl:0/intel-rapl:0:1 &
writer=$!
trap 'kill "$writer" 2>/dev/null; wait "$writer" 2>/dev/null || true' EXIT
"$@"
