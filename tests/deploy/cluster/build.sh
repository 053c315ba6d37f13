#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: build.sh
# A real Kubernetes without a download from anywhere but the Debian mirror: its servers from Debian
# 12's source package (about ten minutes of two cores, once), kubectl from its binary package.
# Prints the directory that has them: kube-apiserver kube-controller-manager kube-proxy
# kube-scheduler kubectl kubelet. Status 77: cannot be made here, and stdout says why.
set -euo pipefail
lab=$(cd "$(dirname "$0")/../../kernel" && pwd)
# shellcheck source-path=SCRIPTDIR/../../kernel
. "$lab/lib.sh"
# shellcheck source-path=SCRIPTDIR/../../kernel
. "$lab/apt_root.sh"

readonly SERVERS=(kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubelet)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/kubernetes
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock --wait 1800 9 || die "another run holds $cache/.lock"
if sums_ok "$cache/bin"; then
    echo "$cache/bin"
    exit 0
fi

for tool in dpkg-source dpkg-deb make rsync jq; do
    command -v $tool >/dev/null || skip "Kubernetes is not built yet, and $tool, which that takes, is not installed"
done
go=$(ls -d /usr/lib/go-1.19 2>/dev/null) || skip "Kubernetes is not built yet, and takes Debian 12's Go (package golang-1.19-go)"

work=$(mktemp -d "$cache/.build.XXXXXX")
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
apt_root_open "$cache/apt" "$(dpkg --print-architecture)" bookworm >&2 ||
    skip "Kubernetes is not built yet, and the Debian mirror cannot be reached"
mkdir "$work/debs" "$work/new"
apt_root_download "$cache/apt" "$work/debs" kubernetes-client || skip "the mirror has no kubernetes-client"
apt_root_source "$cache/apt" "$work/debs" kubernetes || skip "the mirror has no source of kubernetes"

dpkg-deb -x "$work"/debs/kubernetes-client_*.deb "$work/client"
install "$work/client/usr/bin/kubectl" "$work/new/"
dpkg-source --no-check -x "$work"/debs/kubernetes_*.dsc "$work/source" >/dev/null

# As debian/rules builds kubectl: its own generators, vendored modules, nothing fetched.
mkdir -p "$work/source/.go/src/k8s.io"
ln -s ../../.. "$work/source/.go/src/k8s.io/kubernetes"
echo "building Kubernetes, log in $cache/build.log" >&2
nice env -C "$work/source" HOME="$work" GOPATH="$work/source/.go" GOCACHE="$work/gocache" GOFLAGS=-p=2 \
    GOLDFLAGS='-s -w' CGO_ENABLED=0 KUBE_STATIC_OVERRIDES=kubelet PATH="$go/bin:$PATH" make WHAT="${SERVERS[*]/#/cmd/}" >"$cache/build.log" 2>&1 ||
    die "the build failed: $(tail -n 3 "$cache/build.log")"
for server in "${SERVERS[@]}"; do
    install "$work/source/_output/bin/$server" "$work/new/"
done
sums_write "$work/new"
rm -rf "${cache:?}/bin"
mv "$work/new" "$cache/bin"
echo "$cache/bin"
