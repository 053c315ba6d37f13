#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds and tests everything. The last line is the verdict.
# usage: sudo tools/test.sh [--quick | --sanitize | --tidy | --lab]
#   --quick   warnings-as-errors build and unit tests only; needs no root
#   --sanitize  also everything once more under AddressSanitizer and UBSan, and the fuzz targets
#   --tidy    also clang-tidy over the whole tree (ten minutes)
#   --lab     also the kernel lab: other kernels and faked hardware under emulation
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export PATH=$PATH:/usr/sbin LC_ALL=C.UTF-8

quick=no sanitize=no tidy=no lab=no
for argument in "$@"; do
    case $argument in
    --quick) quick=yes ;;
    --sanitize) sanitize=yes ;;
    --tidy) tidy=yes ;;
    --lab) lab=yes ;;
    --help) sed -n '3,9s/^# //p' "$0" && exit 0 ;;
    *) echo "tools/test.sh: unknown option $argument; see --help" >&2 && exit 2 ;;
    esac
done
if [ "$quick" = no ] && [ "$(id -u)" -ne 0 ]; then
    echo "tools/test.sh: loading eBPF programs takes root: sudo $0 $*; without it: $0 --quick" >&2
    exit 3
fi
# A checkout that is not root's gets its build directory back.
[ "$(id -u)" -ne 0 ] || trap 'chown -hR --reference=. build 2>/dev/null' EXIT

failures=()
notes=()
step() { # NAME COMMAND...: runs it, remembers whether it failed
    local name=$1 begin=$SECONDS status=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || status=$?
    [ $status -eq 0 ] || failures+=("$name")
    printf -- '-- %s: %s, %d s\n' "$name" "$([ $status -eq 0 ] && echo ok || echo "failed ($status)")" \
        $((SECONDS - begin))
    return $status
}

build() { # PRESET [TARGET...]
    local whole=()
    # A fresh tree is built once, so as release is; where somebody works, file by file as ever.
    [ -e "build/$1/build.ninja" ] || whole=(-D CMAKE_UNITY_BUILD=ON)
    cmake --preset "$1" "${whole[@]}" >/dev/null || return
    if [ $# -eq 1 ]; then
        cmake --build --preset "$1"
    else
        cmake --build --preset "$1" --target "${@:2}"
    fi
}

run_tests() { # BUILD CTEST-OPTION...: results also as JUnit, for the summary
    local directory=build/$1
    rm -f "$directory/junit.xml"
    ctest --test-dir "$directory" --output-on-failure --no-tests=error --timeout 300 \
        --output-junit junit.xml "${@:2}"
}

run_tidy() {
    build tidy generated || return
    run-clang-tidy -quiet -p build/tidy > >(grep -vE '^clang-tidy') \
        2> >(grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' >&2)
}

run_lab() {
    if [ ! -x tests/kernel/run.sh ]; then
        notes+=("skipped: kernel lab: tests/kernel/run.sh is not in this tree")
        return 0
    fi
    # The short form boots x86_64 only.
    grep -vE 'aarch64|arm64|system-arm' tools/apt-packages-kernel-lab.txt >build/lab-packages.txt
    if ! tools/install_packages.sh build/lab-packages.txt; then
        notes+=("skipped: kernel lab: its packages (qemu and others) cannot be installed")
        return 0
    fi
    # Only a mirror out of reach excuses: whatever else goes wrong is for the lab itself to report.
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/kernels said
    if ! said=$(tests/kernel/fetch.sh 6.1 x86_64 "$cache" 2>&1) &&
        grep -qE 'cannot reach the Debian mirror|name no Debian mirror' <<<"$said"; then
        notes+=("skipped: kernel lab: $(tail -n 1 <<<"$said")")
        return 0
    fi
    tests/kernel/run.sh --short
}

begin=$SECONDS
step "install packages" tools/install_packages.sh tools/apt-packages.txt tools/apt-packages-test.txt ||
    exit 3
if [ "$quick" = yes ]; then
    step "build" build dev && step "unit tests" run_tests dev -L '^unit$'
    results=(build/dev/junit.xml)
else
    step "lint" tools/lint.sh
    step "build" build dev && step "tests" run_tests dev -LE '^(bench|long)$'
    [ "$tidy" = no ] || step "clang-tidy" run_tidy
    [ "$sanitize" = no ] || { step "build with sanitizers" build asan &&
        step "unit, BPF and fuzz tests under sanitizers" run_tests asan -L '^(unit|bpf|fuzz)$' -j "$(nproc)"; }
    [ "$lab" = no ] || step "kernel lab" run_lab
    results=(build/dev/junit.xml)
    [ "$sanitize" = no ] || results+=(build/asan/junit.xml)
fi

echo
tools/test_summary.py "${results[@]}" || failures+=("a test run left no result")
[ ${#notes[@]} -eq 0 ] || printf '%s\n' "${notes[@]}"
if [ ${#failures[@]} -gt 0 ]; then
    echo "tools/test.sh: FAILED after $((SECONDS - begin)) s: $(printf '%s; ' "${failures[@]}")"
    exit 1
fi
echo "tools/test.sh: all passed in $((SECONDS - begin)) s"
