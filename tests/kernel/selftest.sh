#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: selftest.sh [CACHE]
# Holds the lab itself to its promises: a guest that reports failure, one that panics, one that
# hangs and one that cannot start are told apart; a damaged cache is noticed; without network or
# QEMU there is a message and an end. Uses the 6.1 kernel for x86_64.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$LAB_DIR/tap.sh"

cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/kernels}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kernel=$("$LAB_DIR/fetch.sh" 6.1 x86_64 "$cache")

expect() { # TEXT GOT WANTED
    if [ "$2" = "$3" ]; then
        tap_ok "$1"
    else
        tap_not_ok "$1: got '$2', wanted '$3'"
    fi
}

# A guest whose only case is the given script.
guest() { # SCRIPT [SECONDS]
    local status=0
    echo "$1" >"$work/case.sh"
    TOOLS=$work/tools "$LAB_DIR/initramfs.sh" x86_64 "$work/initramfs" "$work/case.sh=/cases/case.sh"
    rm -rf "$work/out"
    GUEST_SECONDS=${2:-60} "$LAB_DIR/boot.sh" x86_64 "$kernel/kernel" "$work/initramfs" "$work/out" case \
        -cpu max -smp 1 || status=$?
    echo "$status"
}

echo "TAP version 13"
expect "a guest that passes" "$(guest 'echo "ok - yes"')" 0
expect "a guest that fails" "$(guest 'echo "not ok - no"')" 1
expect "a case that checks nothing fails" "$(guest ':')" 1
expect "a case that dies fails" "$(guest 'echo "ok - yes"; exit 3')" 1
expect "a guest that shuts down has not reported" "$(guest 'poweroff -f')" "$LAB_NO_VERDICT"
expect "a guest that panics has not reported" "$(guest 'echo c >/proc/sysrq-trigger')" "$LAB_NO_VERDICT"
expect "and its console says why" "$(grep -c 'Kernel panic' "$work/out/console")" 1
expect "a guest that hangs has not reported" "$(guest 'sleep 1000' 15)" "$LAB_NO_VERDICT"
expect "and it is said" "$(cat "$work/out/why")" "no report within 15 s"
status=0
"$LAB_DIR/boot.sh" x86_64 "$work/missing" "$work/initramfs" "$work/out" case 2>/dev/null || status=$?
expect "a guest that QEMU cannot start has not reported" "$status" "$LAB_NO_VERDICT"
mkdir "$work/data"
expect "files of a guest reach the host" \
    "$(guest 'echo hello >/out/greeting; echo "ok - yes"' && tar -xzf "$work/out/data" -C "$work/data" && cat "$work/data/greeting")" \
    "0
hello"

# A copy that may be damaged, and commands without a network (a mirror that nobody listens on).
mkdir "$work/cache"
cp -r "$kernel" "$work/cache/"
copy=$work/cache/$(basename "$kernel")
offline() {
    http_proxy=http://127.0.0.1:9 timeout 120 "$@"
}
expect "a good cache needs no network" "$(offline "$LAB_DIR/fetch.sh" 6.1 x86_64 "$work/cache")" "$copy"
echo >>"$copy/btf"
status=0
message=$(offline "$LAB_DIR/fetch.sh" 6.1 x86_64 "$work/cache" 2>&1) || status=$?
expect "a damaged cache is noticed" "$(grep -c 'is damaged or incomplete' <<<"$message")" 1
expect "without network there is a message" "$(grep -c 'cannot reach the Debian mirror' <<<"$message")" 1
expect "and a failure, not a skip" "$status" 1
expect "nothing half-made is left" "$(find "$work/cache" -name '.fetch.*')" ""

status=0
message=$("$LAB_DIR/run.sh" --kernels 6.9 2>&1) || status=$?
expect "an unknown kernel is refused by name" "$(grep -c "unknown kernel '6.9'" <<<"$message")" 1
mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/dpkg-query"
chmod +x "$work/bin/dpkg-query"
message=$(PATH=$work/bin:$PATH "$LAB_DIR/run.sh" 2>&1) || status=$?
expect "a machine without QEMU is told what to install" "$(grep -c 'missing Debian packages:.* qemu-system-x86' <<<"$message")" 1

message=$("$LAB_DIR/run.sh" --cache /proc/nowhere 2>&1) || status=$?
expect "a cache that cannot be written is named" "$(grep -c 'cannot write the cache /proc/nowhere' <<<"$message")" 2

# As somebody who is not root: what needs root says so, and names what to install.
chmod 755 "$work"
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work" PATH="$work/bin:$PATH")
if [ "$(id -u)" != 0 ] || ! "${nobody[@]}" test -r "$LAB_DIR/run.sh"; then
    tap_skip "without root" "this needs root, and a tree that others may read"
else
    status=0
    message=$("${nobody[@]}" "$LAB_DIR/run.sh" --install 2>&1) || status=$?
    expect "without root --install says what to do" \
        "$status $(grep -c -- '--install needs root; install by hand: ' <<<"$message")" "1 1"
fi

# An interrupted run takes its guests with it, and what it was fetching.
TMPDIR=$work "$LAB_DIR/run.sh" --kernels 6.1 --arch x86_64 --guests registers --cache "$cache" >"$work/run" 2>&1 &
run=$!
guests() {
    pgrep -fc "qemu-system.*$work/powertrace-kernel-lab" || true
}
for _ in $(seq 150); do
    [ "$(guests)" = 0 ] || break
    sleep 0.2
done
expect "a run starts a guest" "$([ "$(guests)" -gt 0 ] && echo yes)" yes
kill -TERM "$run"
status=0
wait "$run" || status=$?
expect "an interrupted run says so by its status" "$status" 143
expect "and leaves no guest running" "$(guests)" 0
expect "nor anything else" "$(pgrep -fc "ahead.sh .*$work" || true)" 0
expect "and no files" "$(find "$work" -maxdepth 1 -name 'powertrace-kernel-lab.*')" ""
tap_end
