#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: build.sh KERNEL_DIR CACHE OUT MODULE...
# Builds the test modules in ./MODULE for one fetched kernel (see ../fetch.sh) from its packaged
# headers, which are unpacked into a temporary directory and not installed; the .ko files go to OUT.
# A kernel that was built with a newer gcc than this machine's gets Debian 13's (see ../sysroot.sh),
# in a mount namespace of its own, as its headers bring programs that need a newer libc as well.
# Status 77: it cannot be built here (the reason is on stdout).
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

[ $# -ge 4 ] || die "usage: build.sh KERNEL_DIR CACHE OUT MODULE..."
kernel=$1 cache=$2 out=$3
shift 3
release=$(cat "$kernel/release")
need make make
need gcc gcc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
for deb in "$kernel"/debs/*.deb; do
    dpkg-deb --extract "$deb" "$work"
done
headers=/usr/src/linux-headers-$release
[ -d "$work$headers" ] || skip "the packages hold no headers for $release"

wanted=$(sed -n 's/^CONFIG_GCC_VERSION=\([0-9]*\)[0-9]\{4\}$/\1/p' "$work$headers/include/config/auto.conf")
here=$(gcc -dumpversion)
place=$work # where the build sees $work
in_toolchain=()
if [ "${wanted:-0}" -gt "${here%%.*}" ]; then
    toolchain=$("$LAB_DIR/sysroot.sh" toolchain "$cache") ||
        skip "$release wants gcc $wanted, this machine has $here, and Debian 13's cannot be had"
    place=/mnt
    mkdir -p "$toolchain$place"
    own=(unshare --mount)
    [ "$(id -u)" = 0 ] || own=(unshare --user --map-root-user --mount)
    # shellcheck disable=SC2016 # for the shell inside
    in_toolchain=("${own[@]}" sh -c '
        mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && mount --bind "$1" "$0/mnt" && mount -t tmpfs tmp "$0/tmp" || exit 3
        root=$0 && shift && exec chroot "$root" /usr/bin/env -i PATH=/usr/bin "$@"' "$toolchain" "$work")
    "${in_toolchain[@]}" gcc --version >/dev/null 2>&1 ||
        skip "$release wants gcc $wanted, this machine has $here, and may not run Debian 13's in a namespace"
fi

# The packages expect to live in /usr/src and /usr/lib; all their other links are relative.
sed -i -E "s#([ =])/usr/(src|lib)/#\1$place/usr/\2/#g" "$work$headers/Makefile"

for module in "$@"; do
    cp -r "$LAB_DIR/module/$module" "$work/$module"
    "${in_toolchain[@]}" make -s -C "$place$headers" M="$place/$module" CC=gcc KCFLAGS=-Werror \
        CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$work/log" 2>&1 || {
        sed 's/^/# /' "$work/log" | tail -20 >&2
        die "module $module does not build for $release"
    }
    cp "$work/$module"/*.ko "$out/"
done
