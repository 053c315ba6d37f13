#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$LAB_DIR/tap.sh"

usage() {
    cat <<EOF
usage: tests/kernel/run.sh [OPTION]...
Boots Debian kernels under software emulation and tests inside them. Prints TAP.

  --short           the kernels and guests that CI runs (default)
  --long            all kernels, architectures and topologies
  --kernels LIST    only these labels of kernels.conf, e.g. 6.1,7.x (implies --long)
  --arch LIST       only x86_64 or arm64 (implies --long)
  --guests LIST     only these guests of guests.conf, e.g. rapl
  --jobs N          guests at a time (default: one more than there are CPUs)
  --cache DIR       fetched kernels (default ${XDG_CACHE_HOME:-~/.cache}/powertrace/kernels)
  --refresh         look for newer kernels than the cached ones
  --keep            keep the reports, consoles and initramfs, and say where
  --install         first install the Debian packages this needs (as root)
EOF
}

form=short kernels='' arches='' guests='' jobs=$(($(nproc) + 1)) refresh=() keep=no install=no
cache=${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/kernels
while [ $# -gt 0 ]; do
    case $1 in
    --kernels | --arch | --guests | --jobs | --cache) [ $# -ge 2 ] || die "$1 needs a value" ;;
    esac
    case $1 in
    --short) form=short ;;
    --long) form=long ;;
    --kernels) kernels=$2 form=long && shift ;;
    --arch) arches=$2 form=long && shift ;;
    --guests) guests=$2 && shift ;;
    --jobs) jobs=$2 && shift ;;
    --cache) cache=$2 && shift ;;
    --refresh) refresh=(--refresh) ;;
    --keep) keep=yes ;;
    --install) install=yes ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

# in_list LIST WORD: an empty list and * have every word.
in_list() {
    [ -z "$1" ] || [ "$1" = '*' ] || [[ ",$1," == *",$2,"* ]]
}

# known LIST FILE COLUMN WHAT: a misspelt word must not silently select nothing.
known() {
    local word
    for word in ${1//,/ }; do
        conf_rows "$LAB_DIR/$2" | awk -v c="$3" '{ print $c }' | grep -qxF -- "$word" ||
            die "unknown $4 '$word': see tests/kernel/$2"
    done
}

known "$kernels" kernels.conf 1 kernel
known "$arches" kernels.conf 3 architecture
known "$guests" guests.conf 1 guest
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs wants a number, not '$jobs'"

mapfile -t rows < <(conf_rows "$LAB_DIR/kernels.conf" | while read -r label row_form arch _; do
    if { [ "$form" = long ] || [ "$row_form" = short ]; } && in_list "$kernels" "$label" && in_list "$arches" "$arch"; then
        echo "$label $arch $row_form"
    fi
done)
[ ${#rows[@]} -gt 0 ] || die "kernels.conf has no such kernel for that architecture"

packages=$LAB_DIR/../../tools/apt-packages-kernel-lab.txt
command -v dpkg-query >/dev/null || die "the lab boots Debian's kernels and needs a Debian system"
mapfile -t missing < <(
    not_needed='^$'
    [[ " ${rows[*]} " == *" arm64 "* ]] || not_needed='aarch64|arm64|qemu-system-arm'
    [ "$install" = yes ] || not_needed+='|^linux-perf$' # without it one case is skipped
    grep -vE "$not_needed" "$packages" | while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
)
if [ ${#missing[@]} -gt 0 ]; then
    [ "$install" = yes ] || die "missing Debian packages: ${missing[*]} (as root, --install gets them)"
    [ "$(id -u)" = 0 ] || die "--install needs root; install by hand: ${missing[*]}"
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        die "apt-get could not install ${missing[*]}"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/powertrace-kernel-lab.XXXXXX")
ahead='' # ahead.sh, a process group of its own
cleanup() {
    local pids
    pids=$(jobs -p)
    [ -z "$ahead" ] || kill -- "-$ahead" 2>/dev/null || true
    # shellcheck disable=SC2086 # one word per process
    [ -z "$pids" ] || { kill $pids 2>/dev/null || true; wait 2>/dev/null || true; }
    if [ "$keep" = yes ]; then
        note "kept: $work"
    else
        rm -rf "$work"
    fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# get WHAT REQUIRED COMMAND...: sets `got` to what the command prints; otherwise says why not.
get() {
    local what=$1 required=$2 status=0
    shift 2
    got=$("$@" 2>"$work/stderr") || status=$?
    sed 's/^/# /' "$work/stderr"
    [ "$status" != 0 ] || return 0
    if [ "$status" = "$LAB_SKIPPED" ] && [ "$required" = no ]; then
        tap_skip "$what" "$got"
    else
        tap_not_ok "$what${got:+: $got}"
    fi
    return 1
}

# run_guest DIR ARCH KERNEL INITRAMFS CASES QEMU_ARGUMENT...: in the background. A guest that said
# nothing gets a second chance; one that reported a failure does not.
run_guest() {
    local dir=$1 attempt status begin=$SECONDS
    for attempt in 1 2; do
        status=0
        "$LAB_DIR/boot.sh" "$2" "$3" "$4" "$dir/$attempt" "${@:5}" &
        trap 'kill $! 2>/dev/null; wait' TERM
        wait $! || status=$?
        [ "$status" = "$LAB_NO_VERDICT" ] || break
    done
    times >"$dir/times"
    echo "$((SECONDS - begin)) s, CPU time $(tail -n 1 "$dir/times")" >"$dir/time"
    echo "$attempt $status" >"$dir/done.new"
    mv "$dir/done.new" "$dir/done"
}

# verify_guest NAME DIR ATTEMPT_DIR: what the cases left in /out, judged here.
verify_guest() {
    [[ ,$(cat "$2/cases") == *,pt_* ]] || return 0
    mkdir "$3/out"
    tar -xzf "$3/data" -C "$3/out" 2>/dev/null || [ ! -s "$3/data" ] ||
        tap_not_ok "$1: the files of the guest arrived damaged"
    "$LAB_DIR/verify.py" "$3/out" "$(cat "$2/cases")" >"$3/verdict" ||
        tap_not_ok "$1: verify.py ended with status $?"
    tap_guest "$1" "$3/verdict"
}

# print_guest DIR: the TAP of a guest that is done.
print_guest() {
    local name attempt status
    name=$(cat "$1/name")
    read -r attempt status <"$1/done"
    note "$name: $(cat "$1/time")"
    if [ "$attempt" = 2 ]; then
        note "$name: never reported at first: $(cat "$1/1/why"); last messages:"
        tail -n 15 "$1/1/console" "$1/1/qemu" | sed 's/^/#   /'
    fi
    if [ "$status" = "$LAB_NO_VERDICT" ]; then
        sed 's/^/#   /' "$1/2/report"
        tap_not_ok "$name: never reported, twice: $(cat "$1/2/why")"
    else
        tap_guest "$name" "$1/$attempt/report"
        verify_guest "$name" "$1" "$1/$attempt"
    fi
    [ "$status" -le 1 ] || [ "$status" = "$LAB_NO_VERDICT" ] || tap_not_ok "$name: ended with status $status"
}

printed=0 started=0
print_done() {
    while [ "$printed" -lt "$started" ] && [ -e "$work/$printed/done" ]; do
        print_guest "$work/$printed"
        printed=$((printed + 1))
    done
}

# binary_of ARCH SYSROOT: sets `got` to powertrace and its libraries, built once per run.
binary_of() {
    local list=$work/binary-$1.files
    if [ ! -e "$list" ]; then
        [ ! -e "$list.failed" ] || { tap_not_ok "powertrace for $1: see above" && return 1; }
        get "powertrace for $1" yes "$LAB_DIR/binary.sh" "$1" "$work/binary-$1" "$2" || { touch "$list.failed" && return 1; }
        printf '%s' "$got" >"$list"
    fi
    got=$(cat "$list")
}

# guests_of LABEL ARCH: the rows of guests.conf that were asked for.
guests_of() {
    conf_rows "$LAB_DIR/guests.conf" | while read -r guest guest_form guest_arch guest_kernels rest; do
        if [ "$guest_arch" = "$2" ] && in_list "$guest_kernels" "$1" && in_list "$guests" "$guest" &&
            { [ "$form" = long ] || [ "$guest_form" = short ]; }; then
            echo "$guest $rest"
        fi
    done
}

# modules_of LABEL ARCH: all modules that these guests want, in one line.
modules_of() {
    guests_of "$1" "$2" | awk '$2 != "-" { print $2 }' | sort -u | paste -sd ' '
}

# guests_running: how many.
guests_running() {
    jobs -rp | grep -cvxF "${ahead:--}" || true
}

# start_guest LABEL ARCH KERNEL_DIR GUEST MODULES CASES QEMU_ARGUMENT...
start_guest() {
    local label=$1 arch=$2 kernel=$3 guest=$4 modules=$5 cases=$6 module files=() dir=$work/$started
    if [ "$modules" != - ]; then
        # shellcheck disable=SC2046 # the modules are words: all that this kernel's guests want, at once
        get "$label $arch $guest" no "$LAB_DIR/modules.sh" "$kernel" "$cache" $(modules_of "$label" "$arch") || return 0
        for module in "$got"/*.ko; do
            files+=("$module=/lib/$(basename "$module")")
        done
        for module in "$kernel"/modules/*.ko; do
            files+=("$module=/lib/$(basename "$module")")
        done
    fi
    if [[ ,$cases == *,pt_* ]]; then
        binary_of "$arch" "$sysroot" || return 0
        mapfile -t -O ${#files[@]} files <<<"$got"
    fi
    if [[ ,$cases, == *,pt_counters,* ]] &&
        get "$label $arch $guest: perf" no "$LAB_DIR/binary.sh" perf "$work/binary-perf"; then
        mapfile -t -O ${#files[@]} files <<<"$got"
    fi
    mkdir "$dir"
    echo "$label $arch $guest" >"$dir/name"
    echo "$cases" >"$dir/cases"
    BUSYBOX=$busybox TOOLS=$work/tools-$arch "$LAB_DIR/initramfs.sh" "$arch" "$dir/initramfs" "${files[@]}" ||
        die "no initramfs for $label $arch $guest"
    while [ "$(guests_running)" -ge "$jobs" ]; do
        wait -n || true
        print_done
    done
    run_guest "$dir" "$arch" "$kernel/kernel" "$dir/initramfs" "$cases" "${@:7}" &
    started=$((started + 1))
}

echo "TAP version 13"
if [ ${#refresh[@]} = 0 ]; then
    setsid "$LAB_DIR/ahead.sh" "$cache" "$work" >/dev/null 2>&1 < <(for row in "${rows[@]}"; do
        read -r label arch _ <<<"$row"
        echo "$label $arch $(modules_of "$label" "$arch")"
    done) &
    ahead=$!
fi
for row in "${rows[@]}"; do
    read -r label arch row_form <<<"$row"
    # Debian's current kernels must be there; the others come and go with the archive.
    required=$([ "$row_form" = short ] && echo yes || echo no)
    get "$label $arch" "$required" "$LAB_DIR/fetch.sh" "${refresh[@]}" "$label" "$arch" "$cache" || continue
    kernel=$got
    busybox=/bin/busybox sysroot=''
    if [ "$arch" = arm64 ]; then
        get "$label $arch" yes "$LAB_DIR/sysroot.sh" "${refresh[@]}" arm64 "$cache" || continue
        sysroot=$got busybox=$got/bin/busybox
    fi
    while read -r -u 3 guest modules cases qemu; do
        # shellcheck disable=SC2086 # the arguments are words
        start_guest "$label" "$arch" "$kernel" "$guest" "$modules" "$cases" $qemu
    done 3< <(guests_of "$label" "$arch")
done
while [ "$(guests_running)" -gt 0 ]; do
    wait -n || true
    print_done
done
print_done
tap_end
