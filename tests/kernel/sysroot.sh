#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: sysroot.sh [--refresh] CACHE
# Puts Debian's arm64 packages of sysroot-packages.txt, with all they depend on, into
# CACHE/sysroot-arm64 and prints that directory: for cmake/toolchains/aarch64-linux-gnu.cmake, and
# for the guests' busybox and shared libraries. The release is that of this machine, because the
# cross compiler's libraries must match.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt_root.sh"

refresh=no
if [ "${1:-}" = --refresh ]; then
    refresh=yes
    shift
fi
[ $# = 1 ] || die "usage: sysroot.sh [--refresh] CACHE"
cache=$1
target=$cache/sysroot-arm64
mkdir -p "$cache" || die "cannot write the cache $cache: choose another with --cache"
exec 9>"$cache/.sysroot-arm64.lock"
flock --wait 600 9 || die "another run holds $cache/.sysroot-arm64.lock"

# A list that has grown makes the old sysroot incomplete.
if [ "$refresh" = no ] && cmp -s "$LAB_DIR/sysroot-packages.txt" "$target/packages.txt"; then
    if sums_ok "$target"; then
        echo "$target"
        exit 0
    fi
    echo "sysroot.sh: $target is damaged: fetching it again" >&2
fi

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
root=$cache/apt/$codename-arm64
apt_root_open "$root" arm64 "$codename" ||
    die "cannot reach the Debian mirror for $codename arm64: no network? A cached sysroot would have been used"
mapfile -t wanted <"$LAB_DIR/sysroot-packages.txt"
mapfile -t packages < <(apt_root_run "$root" apt-get install --print-uris -qq --no-install-recommends \
    "${wanted[@]}" | awk '{ sub(/_.*/, "", $2); print $2 }')
[ ${#packages[@]} -gt 0 ] || die "apt finds no way to install: ${wanted[*]}"

work=$(mktemp -d "$cache/.sysroot.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/root"
apt_root_download "$root" "$work/debs" "${packages[@]}" || die "downloading the arm64 packages failed"
for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --exclude './usr/share/*' --wildcards \
        --exclude './usr/lib/aarch64-linux-gnu/gconv/*' --exclude './usr/lib/locale/*'
done
# CMake package files of header-only libraries live in /usr/share.
for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --wildcards './usr/share/*cmake*' \
        './usr/share/pkgconfig/*' 2>/dev/null || true
done
cp "$LAB_DIR/sysroot-packages.txt" "$work/root/packages.txt"
sums_write "$work/root"
rm -rf "$target"
mv "$work/root" "$target"
echo "$target"
