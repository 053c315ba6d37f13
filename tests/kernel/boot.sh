#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: boot.sh ARCH KERNEL INITRAMFS OUT_DIR CASES [QEMU_ARGUMENT...]
# Boots one guest under software emulation and waits for it. OUT_DIR then holds:
#   report   the guest's TAP      console  its kernel messages
#   data     tar.gz of its /out   qemu     QEMU's own messages
# Status: what the guest reported (0: every check passed, 1: some failed), or 125 if it never
# reported: it panicked, hung until the time was up, or QEMU could not start it.
# GUEST_SECONDS (300) limits the guest, CASE_SECONDS (120) each case.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 5 ] || die "usage: boot.sh ARCH KERNEL INITRAMFS OUT_DIR CASES [QEMU_ARGUMENT...]"
arch=$1 kernel=$2 initramfs=$3 out=$4 cases=$5
shift 5

# One thread for all virtual CPUs: with several, emulated x86 guests crash now and then while the
# kernel patches its own code, and they are no faster.
common=(-accel "tcg,thread=single" -m 768 -nodefaults -display none -monitor none -no-reboot
    -chardev "file,id=console,path=$out/console"
    -chardev "file,id=report,path=$out/report"
    -chardev "file,id=data,path=$out/data"
    -kernel "$kernel" -initrd "$initramfs")
# Mitigations and cleared pages cost a tenth of what a guest does, and nothing here asks for them.
append="panic=-1 quiet mitigations=off init_on_alloc=0 pt.cases=$cases pt.seconds=${CASE_SECONDS:-120}"
case $arch in
x86_64)
    need qemu-system-x86_64 qemu-system-x86
    qemu=(qemu-system-x86_64 -M q35 "${common[@]}"
        -device "isa-debug-exit,iobase=0xf4,iosize=0x04"
        -serial chardev:console -serial chardev:report -serial chardev:data
        -append "console=ttyS0 pt.report=ttyS1 pt.data=ttyS2 $append")
    ;;
arm64)
    need qemu-system-aarch64 qemu-system-arm
    qemu=(qemu-system-aarch64 -M virt "${common[@]}"
        -semihosting-config "enable=on,userspace=on,target=native"
        -serial chardev:console
        -device "pci-serial-2x,chardev1=report,chardev2=data"
        -append "console=ttyAMA0 pt.report=ttyS0 pt.data=ttyS1 $append")
    ;;
*) die "unknown architecture '$arch': x86_64 and arm64 are known" ;;
esac

mkdir -p "$out"
: >"$out/report"
timeout --kill-after=5 "${GUEST_SECONDS:-300}" "${qemu[@]}" "$@" </dev/null >"$out/qemu" 2>&1 &
guest=$!
trap 'kill "$guest" 2>/dev/null || true' EXIT
status=0
wait "$guest" || status=$?

# See guest/vmexit.c; a report without its plan was cut short.
if [ "$status" -ge 33 ] && [ "$status" -lt 124 ] && [ $((status & 1)) = 1 ] &&
    grep -qE '^1\.\.[0-9]+' "$out/report"; then
    exit $(((status >> 1) - 16))
fi
case $status in
124 | 137) echo "no report within ${GUEST_SECONDS:-300} s" >"$out/why" ;;
0) echo "the guest shut down or panicked" >"$out/why" ;;
*) echo "QEMU ended with status $status" >"$out/why" ;;
esac
exit "$LAB_NO_VERDICT"
