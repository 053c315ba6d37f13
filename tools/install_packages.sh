#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that the given lists name and this machine lacks.
# usage: tools/install_packages.sh LIST...   (a list has one package per line)
set -euo pipefail

die() {
    printf 'install_packages.sh: %s\n' "$1" >&2
    exit 3
}

mapfile -t wanted < <(LC_ALL=C sort -u -- "$@")
if ! command -v dpkg-query >/dev/null; then
    die "this is not a Debian system: install the equivalents of these packages by hand and build
with \`cmake --preset release && cmake --build --preset release\`:
${wanted[*]}"
fi

missing=()
for package in "${wanted[@]}"; do
    # A package of another architecture does not count, a virtual one would not be found.
    state=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1) || true
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" -eq 0 ] || die "these packages are missing, and only root can install them: run
  sudo apt-get install --no-install-recommends ${missing[*]}"

echo "installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@" </dev/null >"$log" 2>&1
}
# Package lists may be old or absent; an update that fails may still leave usable ones.
apt update || grep -E '^[EW]:' "$log" >&2 || true
if ! apt install -y --no-install-recommends "${missing[@]}"; then
    grep -E '^[EW]:' "$log" >&2 || tail -n 20 "$log" >&2
    die "apt-get could not install ${missing[*]}: it needs a Debian 12 or later mirror. Check the
network, /etc/apt/sources.list.d and the proxy (Acquire::http::Proxy), or install the packages by
hand and run this again."
fi
