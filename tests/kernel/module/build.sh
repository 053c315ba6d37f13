#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: build.sh KERNEL_DIR OUT MODULE...
# Builds the test modules in ./MODULE for one fetched kernel (see ../fetch.sh) from its packaged
# headers, which are unpacked into a temporary directory and not installed; the .ko files go to OUT.
# Status 77: this machine's toolchain cannot build for that kernel (the reason is on stdout).
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

[ $# -ge 3 ] || die "usage: build.sh KERNEL_DIR OUT MODULE..."
kernel=$1 out=$2
shift 2
release=$(cat "$kernel/release")
need make make
need gcc gcc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
for deb in "$kernel"/debs/*.deb; do
    dpkg-deb --extract "$deb" "$work"
done
headers=$work/usr/src/linux-headers-$release
[ -d "$headers" ] || skip "the packages hold no headers for $release"

# The packages expect to live in /usr/src and /usr/lib; all their other links are relative.
sed -i -E "s#([ =])/usr/(src|lib)/#\1$work/usr/\2/#g" "$headers/Makefile"

# Status 1 if the module does not build, 2 if this toolchain is too old for the kernel.
build() {
    local module=$1 log=$work/$1.log
    cp -r "$LAB_DIR/module/$module" "$work/$module"
    make -s -C "$headers" M="$work/$module" CC=gcc KCFLAGS=-Werror CONFIG_DEBUG_INFO_BTF_MODULES= \
        modules >"$log" 2>&1 && return 0
    if grep -m1 -oE "unrecognized command-line option .*|GLIBC_[0-9.]*' not found" "$log" >"$work/why"; then
        return 2
    fi
    sed 's/^/# /' "$log" | tail -20 >&2
    return 1
}

for module in "$@"; do
    status=0
    build "$module" || status=$?
    case $status in
    0) cp "$work/$module"/*.ko "$out/" ;;
    2) skip "$release wants a newer toolchain than gcc $(gcc -dumpversion): $(cat "$work/why")" ;;
    *) die "module $module does not build for $release" ;;
    esac
done
