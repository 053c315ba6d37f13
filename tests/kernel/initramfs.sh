#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: initramfs.sh ARCH OUT FILE=PATH...
# Builds the guest's root: busybox, our init, the guest tools, every case, and each FILE at PATH.
# No root needed: cpio writes the ownership, and the kernel brings /dev.
# BUSYBOX names the static busybox of the guest's architecture, CC its compiler; what goes into the guest's
# /bin is kept in TOOLS, if given.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: initramfs.sh ARCH OUT FILE=PATH..."
arch=$1 out=$2
shift 2
case $arch in
x86_64) : "${CC:=gcc}" "${BUSYBOX:=/bin/busybox}" ;;
arm64) : "${CC:=aarch64-linux-gnu-gcc}" ;;
esac
need cpio cpio
need "$CC" "$([ "$arch" = arm64 ] && echo gcc-aarch64-linux-gnu || echo gcc)"
[ -x "${BUSYBOX:-}" ] || die "no busybox at '${BUSYBOX:-}': install the Debian package busybox-static"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
: "${TOOLS:=$root/bin}"
mkdir -p "$TOOLS" "$root"/{bin,dev,proc,sys,tmp,out,cases,lib}
install "$LAB_DIR/guest/init" "$root/init"
install -m 644 -t "$root/lib" "$LAB_DIR/guest/tap.sh" "$LAB_DIR/guest/powertrace.sh"
install -m 644 -t "$root/cases" "$LAB_DIR"/cases/*.sh
if [ ! -x "$TOOLS/busybox" ]; then
    for applet in $(/bin/busybox --list | grep -vx busybox); do # the same names on every architecture
        ln -s busybox "$TOOLS/$applet"
    done
    install "$BUSYBOX" "$TOOLS/busybox"
fi
for source in "$LAB_DIR"/guest/*.c; do
    tool=$(basename "$source" .c)
    [ -x "$TOOLS/$tool" ] ||
        "$CC" -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$TOOLS/$tool" "$source"
done
[ "$TOOLS" = "$root/bin" ] || cp -a "$TOOLS/." "$root/bin/"
for pair in "$@"; do
    install -D "${pair%%=*}" "$root/${pair#*=}"
done
(cd "$root" && find . -print0 | sort -z | cpio --quiet --null --create --format=newc --owner=0:0) >"$out"
