#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: image.sh ARCHIVE
# Builds deploy/docker/Dockerfile from this tree, as a user would, on a base made by debootstrap
# instead of one from a registry, and writes the image to ARCHIVE as powertrace:<version>. Layers and
# the compiler's cache are kept, so that only the first build takes long; ~/.cache/powertrace/image may go at any time. Prints the image's name.
# Status 77: cannot be made here, and stdout says why.
set -euo pipefail
top=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source-path=SCRIPTDIR/../../kernel source=lib.sh
. "$top/tests/kernel/lib.sh"
# shellcheck source-path=SCRIPTDIR/../../kernel source=apt_root.sh
. "$top/tests/kernel/apt_root.sh"
[ $# = 1 ] || die "usage: image.sh ARCHIVE"
archive=$1

for tool in buildah debootstrap; do
    command -v $tool >/dev/null || skip "$tool, which makes container images, is not installed"
done
[ "$(id -u)" = 0 ] || skip "a container image is made by root"
# What buildah mounts goes with a mount namespace.
[ -n "${IMAGE_NAMESPACE:-}" ] || exec env IMAGE_NAMESPACE=1 unshare --mount --propagation private "$0" "$archive"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/image
mkdir -p "$cache/ccache"
exec 9>"$cache/.lock"
flock --wait 3600 9 || die "another run holds $cache/.lock"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

storage=(buildah --root "$cache/storage" --runroot "$work/run" --storage-driver overlay)
base=localhost/debian:bookworm
version=$(sed -n 's/^appVersion: *"\(.*\)"/\1/p' "$top/deploy/helm/powertrace/Chart.yaml")
name=docker.io/library/powertrace:$version

if ! "${storage[@]}" inspect --type image "$base" >/dev/null 2>&1; then
    mirror=$(apt_mirror bookworm)
    debootstrap --variant=minbase bookworm "$work/base" "${mirror:?the system has no Debian mirror}" >"$cache/debootstrap.log" 2>&1 ||
        skip "debootstrap cannot make Debian 12: $(tail -n 1 "$cache/debootstrap.log")"
    container=$("${storage[@]}" from scratch)
    "${storage[@]}" add -q "$container" "$work/base" / >/dev/null
    "${storage[@]}" commit -q --rm "$container" "$base" >/dev/null
fi

echo "building the image, log in $cache/build.log" >&2
nice "${storage[@]}" build --isolation chroot --network host --pull-never --layers --ulimit nofile=20000:20000 \
    --build-arg "DEBIAN=$base" --volume "$cache/ccache:/root/.cache/ccache" \
    --tag "$name" --file "$top/deploy/docker/Dockerfile" "$top" >"$cache/build.log" 2>&1 ||
    die "the build failed: $(tail -n 5 "$cache/build.log")"
rm -f "$archive"
"${storage[@]}" push -q "$name" "docker-archive:$archive:$name"
echo "$name"
