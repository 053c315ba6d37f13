#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: fetch.sh [--refresh] LABEL ARCH CACHE
# Puts one kernel of kernels.conf into CACHE/LABEL-ARCH and prints that directory:
#   kernel btf release   what is booted, its BTF, its `uname -r`
#   modules/*.ko         the few modules of its own that cases load
#   debs/*.deb           its headers, for building ours (x86_64 only: arm64 has no powercap class)
# A good copy is used as it is, without the network; a damaged one is fetched again.
# Status 77: the archive does not offer it (the reason is on stdout).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt_root.sh"

refresh=no
if [ "${1:-}" = --refresh ]; then
    refresh=yes
    shift
fi
[ $# = 3 ] || die "usage: fetch.sh [--refresh] LABEL ARCH CACHE"
label=$1 arch=$2 cache=$3

row=$(conf_rows "$LAB_DIR/kernels.conf" | awk -v l="$label" -v a="$arch" '$1 == l && $3 == a')
[ -n "$row" ] || die "no kernel '$label' for $arch in kernels.conf"
read -r _ _ _ suites image <<<"$row"

need dpkg-deb dpkg
need zstd zstd
need lz4 lz4
need python3 python3

mkdir -p "$cache" || die "cannot write the cache $cache: choose another with --cache"
target=$cache/$label-$arch
exec 9>"$cache/.$label-$arch.lock"
flock --wait 600 9 || die "another run holds $cache/.$label-$arch.lock"

if [ "$refresh" = no ] && [ -d "$target" ]; then
    if sums_ok "$target"; then
        echo "$target"
        exit 0
    fi
    echo "fetch.sh: $target is damaged or incomplete: fetching it again" >&2
fi

work=$(mktemp -d "$cache/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
new=$work/new
mkdir -p "$new/modules" "$new/debs" "$work/image"

# Sets `root` to an apt root whose suite offers the image.
find_suite() {
    local suite status
    for suite in ${suites//,/ }; do
        root=$cache/apt/$suite-$arch
        status=0
        apt_root_open "$root" "$(debian_arch "$arch")" "$suite" || status=$?
        [ "$status" = 0 ] || [ "$status" = "$LAB_SKIPPED" ] ||
            die "cannot reach the Debian mirror for $suite: no network? A cached kernel would have been used"
        if [ "$status" = 0 ] && [ -n "$(apt_root_linux_closure "$root" "$image")" ]; then
            return 0
        fi
    done
    skip "$image ($arch) is not offered in ${suites//,/ or }"
}

download() { # TO META
    local to=$1 meta=$2 packages status=0
    mapfile -t packages < <(apt_root_linux_closure "$root" "$meta")
    if [ "$meta" != "$image" ]; then # headers offer to come with the kernel
        mapfile -t packages < <(printf '%s\n' "${packages[@]}" | grep -vE '^linux-(image|binary|modules)-')
    fi
    [ ${#packages[@]} -gt 0 ] || skip "$meta ($arch) is not offered in ${suites//,/ or }"
    apt_root_download "$root" "$to" "${packages[@]}" || status=$?
    [ "$status" != "$LAB_SKIPPED" ] || skip "the mirror lists $meta ($arch) but lacks its files"
    [ "$status" = 0 ] || die "downloading $meta ($arch) failed"
}

find_suite
download "$work/image" "$image"
if [ "$arch" = x86_64 ]; then
    download "$new/debs" "${image/image/headers}"
fi

for deb in "$work"/image/*.deb; do # from 7.x the kernel and its modules are packages of their own
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/image" --wildcards --no-anchored \
        'vmlinuz*' '*/intel_rapl_common.ko*' '*/iosf_mbi.ko*' 2>/dev/null || true
done
vmlinuz=$(find "$work/image" -type f -name 'vmlinuz*' | head -1)
[ -n "$vmlinuz" ] || die "$image brought no vmlinuz"
python3 "$LAB_DIR/unpack_kernel.py" "$vmlinuz" "$new/kernel" "$new/btf" >"$new/release"
find "$work/image" -name '*.ko*' -exec cp -t "$new/modules" {} +
find "$new/modules" -name '*.xz' -exec xz -d {} +

sums_write "$new"
rm -rf "$target"
mv "$new" "$target"
echo "$target"
