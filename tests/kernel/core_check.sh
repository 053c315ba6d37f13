#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: core_check.sh OBJECT [BTF...]
# A quick hint without a boot: do the kernels have the fields and tracepoints that the BPF object
# uses? OBJECT is build/dev/bpf/<arch>/powertrace.linked.o; without BTF, every fetched kernel of that
# architecture is checked. A field that the program asks for before it uses it counts as guarded.
# This says nothing about map types, helpers and the verifier: the boot is the judge (run.sh).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$LAB_DIR/tap.sh"
PATH=$PATH:/usr/sbin
need bpftool bpftool

[ $# -ge 1 ] || die "usage: core_check.sh OBJECT [BTF...]"
object=$1
shift
[ -s "$object" ] || die "no BPF object '$object': build powertrace first"
if [ $# = 0 ]; then
    arch=x86_64
    [[ $object != */arm64/* ]] || arch=arm64
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/kernels
    set -- "$cache"/*-"$arch"/btf
    [ -s "$1" ] || die "no fetched kernel in $cache: run tests/kernel/run.sh, or name BTF files"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# bpftool relocates without complaint what it cannot resolve; only its debug output tells.
#   relo #1: <byte_off> [6] struct task_struct.__state (0:1 @ offset 4)
#   relo #1: no matching targets found
missing_fields() { # LOG
    awk '
        $1 == "libbpf:" && match($0, /relo #[0-9]+: <[a-z_]+> /) {
            kind = $0; sub(/.*relo #[0-9]+: </, "", kind); sub(/>.*/, "", kind)
            field = $0; sub(/.*> \[[0-9]+\] /, "", field); sub(/ \(.*/, "", field)
            if (kind ~ /exists/) guarded[field] = 1
        }
        /no matching targets found/ { if (kind !~ /exists/) missing[field] = 1 }
        END { for (field in missing) print (field in guarded ? "guarded" : "missing"), field }' "$1" | sort
}

echo "TAP version 13"
for btf in "$@"; do
    name=$(basename "$(dirname "$btf")")/$(basename "$btf")
    if ! bpftool --debug gen min_core_btf "$btf" "$work/min.btf" "$object" >"$work/log" 2>&1; then
        tap_not_ok "$name: $(tail -1 "$work/log")"
        continue
    fi
    missing_fields "$work/log" >"$work/fields"
    bpftool btf dump file "$btf" | sed -n "s/.*TYPEDEF 'btf_trace_\([^']*\)'.*/missing tracepoint \1/p" |
        sort -u >"$work/tracepoints"
    sed -n "s#.*prog 'tp_btf/\([^']*\)'.*#missing tracepoint \1#p" "$work/log" | sort -u |
        comm -23 - "$work/tracepoints" >>"$work/fields"
    sed 's/^/# /' "$work/fields"
    text="$name: $(grep -c 'relo #[0-9]*: <' "$work/log") relocations"
    if grep -q '^missing' "$work/fields"; then
        tap_not_ok "$text, $(grep -c '^missing' "$work/fields") missing"
    else
        tap_ok "$text, all found or guarded"
    fi
done
tap_end
