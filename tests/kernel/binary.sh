#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: binary.sh ARCH OUT [SYSROOT]
# Builds powertrace for a guest and prints what goes into its initramfs as FILE=PATH lines: the
# stripped program (in OUT) and the shared libraries it needs. arm64 is built against SYSROOT.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: binary.sh ARCH OUT [SYSROOT]"
arch=$1 out=$2 sysroot=${3:-}
source=$(cd "$LAB_DIR/../.." && pwd)
export PATH=$PATH:/usr/sbin
need cmake cmake
need ninja ninja-build
mkdir -p "$out"
exec 9>"$out.lock"
flock --wait 600 9 || die "another run holds $out.lock"

build() { # BUILD_DIR CONFIGURE_ARGUMENT...
    local build=$1
    shift
    {
        { [ -e "$build/build.ninja" ] || cmake -S "$source" -B "$build" -G Ninja -DCMAKE_UNITY_BUILD=ON "$@"; } &&
            cmake --build "$build" --target powertrace
    } >"$out/build.log" 2>&1 || die "powertrace does not build for $arch: $(tail -3 "$out/build.log")"
}

# needed FILE: the names of the libraries it is linked with.
needed() {
    readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# libraries FILE: FILE=PATH of every library below the sysroot that FILE needs, directly or not.
declare -A seen=()
libraries() {
    local name path
    while read -r name; do
        [ -z "${seen[$name]:-}" ] || continue
        seen[$name]=yes
        path=$(cd "$sysroot" && find lib usr/lib -maxdepth 2 -name "$name" | head -1)
        [ -n "$path" ] || die "the sysroot has no $name: add its package to sysroot.sh"
        echo "$sysroot/$path=/$path"
        libraries "$sysroot/$path"
    done < <(needed "$1")
}

case $arch in
x86_64)
    build "$source/build/dev" --preset dev
    binary=$source/build/dev/src/cli/powertrace
    strip -o "$out/powertrace" "$binary"
    ldd "$binary" | awk '$2 == "=>" { print $3 "=" $3 } $1 ~ /^\// { print $1 "=" $1 }'
    ;;
arm64)
    build "$source/build/arm64" --toolchain "$source/cmake/toolchains/aarch64-linux-gnu.cmake" \
        -DPOWERTRACE_SYSROOT="$sysroot" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
        -DBUILD_TESTING=OFF
    binary=$source/build/arm64/src/cli/powertrace
    aarch64-linux-gnu-strip -o "$out/powertrace" "$binary"
    libraries "$binary"
    interpreter=$(readelf --program-headers --wide "$binary" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
    echo "$sysroot$interpreter=$interpreter" # the kernel takes it by this path
    ;;
*) die "unknown architecture '$arch': x86_64 and arm64 are known" ;;
esac
echo "$out/powertrace=/bin/powertrace"
