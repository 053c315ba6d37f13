#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: ahead.sh CACHE WORK <ROWS
# Fetches and builds, while guests run, what run.sh will ask for later; ROWS are LABEL ARCH [MODULE...].
# Says nothing: who asks in the end waits for it, finds it, or learns why it cannot be had.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 2 ] || die "usage: ahead.sh CACHE WORK <ROWS"
cache=$1 work=$2

while read -r label arch modules; do
    kernel=$("$LAB_DIR/fetch.sh" "$label" "$arch" "$cache") || continue
    # shellcheck disable=SC2086 # the modules are words
    [ -z "$modules" ] || "$LAB_DIR/modules.sh" "$kernel" "$cache" $modules
    if [ "$arch" = arm64 ] && [ ! -e "$work/binary-arm64" ] && sysroot=$("$LAB_DIR/sysroot.sh" arm64 "$cache"); then
        "$LAB_DIR/binary.sh" arm64 "$work/binary-arm64" "$sysroot"
    fi
done
