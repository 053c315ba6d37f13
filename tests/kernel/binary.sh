#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: binary.sh ARCH|perf OUT [SYSROOT]
# Builds powertrace for a guest and prints what goes into its initramfs as FILE=PATH lines: the
# stripped program (in OUT) and the shared libraries it needs. arm64 is built against SYSROOT. Or does the same
# with this machine's perf, for x86_64; its libraries that are not real are in /lib/perf.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: binary.sh ARCH|perf OUT [SYSROOT]"
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
        # A sysroot of another --cache may be gone.
        { { [ -e "$build/build.ninja" ] && grep -qF -- "=$sysroot" "$build/CMakeCache.txt"; } ||
            cmake --fresh -S "$source" -B "$build" -G Ninja -DCMAKE_UNITY_BUILD=ON "$@"; } &&
            cmake --build "$build" --target powertrace
    } >"$out/build.log" 2>&1 || die "powertrace does not build for $arch: $(tail -3 "$out/build.log")"
}

# needed FILE: the names of the libraries it is linked with.
needed() {
    readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# What no case asks for: servers, clients, databases, scripts. With what they need themselves they are 50 MB, and
# half the time that powertrace takes to start in a guest.
unused='lib(crypt|curl|gnutls|hiredis|microhttpd|snappy|sqlite3|xml2|babeltrace.*|opencsd.*|perl|python.*|slang|unwind.*)\.so.*'

# stand_in REAL OUT: a library with the symbols that the program takes from REAL, in the same versions; a call of
# one ends the program (SIGILL or SIGTRAP), and the case fails.
stand_in() {
    awk -v map="$2.map" '
        !/^ *[0-9]+:/ || $5 == "LOCAL" || NF < 8 { next }
        { split($8, name, /@+/) }
        NR == FNR { wanted[name[1]] = 1; version[name[1]] = name[2]; next }
        $7 == "UND" || !(name[1] in wanted) { next }
        $4 == "OBJECT" { print "char " name[1] "[" $3 "];" }
        $4 == "TLS" { print "__thread char " name[1] "[" $3 "];" }
        $4 != "OBJECT" && $4 != "TLS" { print "void " name[1] "(void) { __builtin_trap(); }" }
        { delete wanted[name[1]] }
        version[name[1]] { members[version[name[1]]] = members[version[name[1]]] name[1] "; " }
        END {
            for (v in members) print v " { " members[v] "};" >map
            if (!length(members)) print "{ *; };" >map
        }' <(readelf --dyn-syms --wide "$binary") <(readelf --dyn-syms --wide "$1") >"$2.c"
    "$compiler" -w -shared -fPIC -nostdlib -Wl,-soname="${2##*/}" -Wl,--version-script="$2.map" -o "$2" "$2.c"
}

# libraries FILE: FILE=PATH of every library of the sysroot that FILE needs, directly or not.
declare -A seen=()
libraries() {
    local name path
    while read -r name; do
        [ -z "${seen[$name]:-}" ] || continue
        seen[$name]=yes
        path=$(cd "$sysroot/" && find lib/ usr/lib/ -maxdepth 2 -name "$name" | head -1)
        [ -n "$path" ] || die "the sysroot has no $name: add its package to sysroot.sh"
        if [[ $name =~ ^$unused$ ]]; then
            stand_in "$sysroot/$path" "$out/$name"
            echo "$out/$name=${stand_ins:-/$(dirname "$path")}/$name"
        else
            echo "$sysroot/$path=/$path"
            libraries "$sysroot/$path"
        fi
    done < <(needed "$1")
}

program=powertrace compiler=gcc strip=strip stand_ins=''
case $arch in
x86_64)
    build "$source/build/dev" --preset dev
    binary=$source/build/dev/src/cli/powertrace
    ;;
arm64) # a compiler that collects no garbage below 500 MB takes a tenth less
    compiler=aarch64-linux-gnu-gcc strip=aarch64-linux-gnu-strip
    build "$source/build/arm64" --toolchain "$source/cmake/toolchains/aarch64-linux-gnu.cmake" \
        -DPOWERTRACE_SYSROOT="$sysroot" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_CXX_FLAGS_RELEASE="-O1 --param=ggc-min-heapsize=500000" \
        -DBUILD_TESTING=OFF
    binary=$source/build/arm64/src/cli/powertrace
    ;;
perf)
    program=perf stand_ins=/lib/perf
    binary=$(command -v perf) || skip "no perf here: install the Debian package linux-perf"
    readelf --file-header "$binary" >/dev/null 2>&1 || skip "$binary is no program: install the Debian package linux-perf"
    ;;
*) die "unknown architecture '$arch': x86_64 and arm64 are known" ;;
esac
"$strip" -o "$out/$program" "$binary"
echo "$out/$program=/bin/$program"
libraries "$binary"
interpreter=$(readelf --program-headers --wide "$binary" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
echo "$sysroot$interpreter=$interpreter" # the kernel takes it by this path
