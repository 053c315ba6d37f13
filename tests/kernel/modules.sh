#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: modules.sh KERNEL_DIR CACHE MODULE...
# Prints a directory with the modules' .ko for that kernel, built once per source, kernel and compiler.
# Status 77: cannot be built on this machine (the reason is on stdout).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 3 ] || die "usage: modules.sh KERNEL_DIR CACHE MODULE..."
kernel=$1 cache=$2
shift 2

key=$({
    (cd "$LAB_DIR/module" && find build.sh "$@" -type f | sort | xargs cat)
    cat "$kernel/SHA256SUMS"
    gcc -dumpfullversion
} | sha256sum | cut -c1-16)
target=$cache/modules/$(cat "$kernel/release")-$key
mkdir -p "$cache/modules"
exec 9>"$target.lock"
flock --wait 600 9 || die "another run holds $target.lock"
if ! sums_ok "$target"; then
    new=$(mktemp -d "$cache/modules/.new.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    status=0
    "$LAB_DIR/module/build.sh" "$kernel" "$cache" "$new" "$@" >"$new/why" || status=$?
    [ "$status" != "$LAB_SKIPPED" ] || skip "$(cat "$new/why")"
    [ "$status" = 0 ] || die "the modules do not build"
    rm "$new/why"
    sums_write "$new"
    rm -rf "$target"
    mv "$new" "$target"
fi
echo "$target"
