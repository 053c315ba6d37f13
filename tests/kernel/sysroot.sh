#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: sysroot.sh [--refresh] arm64 | toolchain CACHE
# Puts Debian packages, with all they depend on, into CACHE/sysroot-... and prints that directory:
#   arm64      what powertrace is built with, for cmake/toolchains/aarch64-linux-gnu.cmake, and for the
#              guests' busybox and shared libraries; of this machine's release, because the cross
#              compiler's libraries must match
#   toolchain  Debian 13's compiler, for test modules of kernels that want a newer one than is here
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt_root.sh"

refresh=no
if [ "${1:-}" = --refresh ]; then
    refresh=yes
    shift
fi
[ $# = 2 ] || die "usage: sysroot.sh [--refresh] arm64 | toolchain CACHE"
kind=$1 cache=$2
case $kind in
arm64)
    arch=arm64
    suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    mapfile -t wanted < <(grep -- '-dev$' "$LAB_DIR/../../tools/apt-packages.txt")
    wanted+=(busybox-static linux-libc-dev)
    ;;
toolchain)
    arch=amd64 suite=trixie
    wanted=(base-files dash coreutils findutils grep sed mawk make gcc libelf1t64)
    ;;
*) die "unknown sysroot '$kind': arm64 and toolchain are known" ;;
esac
target=$cache/sysroot-$kind
mkdir -p "$cache" || die "cannot write the cache $cache: choose another with --cache"
exec 9>"$cache/.sysroot-$kind.lock"
flock --wait 600 9 || die "another run holds $cache/.sysroot-$kind.lock"

# A list that has grown makes the old sysroot incomplete.
if [ "$refresh" = no ] && [ "$(cat "$target/packages.txt" 2>/dev/null)" = "${wanted[*]}" ]; then
    if sums_ok "$target"; then
        echo "$target"
        exit 0
    fi
    echo "sysroot.sh: $target is damaged: fetching it again" >&2
fi

root=$cache/apt/$suite-$arch
apt_root_open "$root" "$arch" "$suite" ||
    die "cannot reach the Debian mirror for $suite $arch: no network? A cached sysroot would have been used"
mapfile -t packages < <(apt_root_run "$root" apt-get install --print-uris -qq --no-install-recommends \
    "${wanted[@]}" | awk '{ sub(/_.*/, "", $2); print $2 }')
[ ${#packages[@]} -gt 0 ] || die "apt finds no way to install: ${wanted[*]}"

work=$(mktemp -d "$cache/.sysroot.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/root"
apt_root_download "$root" "$work/debs" "${packages[@]}" || die "downloading the packages of $suite $arch failed"
for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --wildcards --exclude './usr/share/doc/*' \
        --exclude './usr/share/man/*' --exclude './usr/share/locale/*' --exclude './usr/share/i18n/*' \
        --exclude './usr/lib/*/gconv/*' --exclude './usr/lib/locale/*' --exclude './usr/lib/*/lib[alt]san*'
done
# Some of them name their libraries by the place where they expect to be installed.
# shellcheck disable=SC2016 # for CMake
find "$work/root/usr" -name '*Targets*.cmake' -exec \
    sed -i -E '/_realOrig/!s#"/usr(/|")#"${CMAKE_SYSROOT}/usr\1#' {} +
[ -e "$work/root/usr/bin/awk" ] || ln -s mawk "$work/root/usr/bin/awk" # an alternative otherwise
echo "${wanted[*]}" >"$work/root/packages.txt"
sums_write "$work/root"
rm -rf "$target"
mv "$work/root" "$target"
echo "$target"
