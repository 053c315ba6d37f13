#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: fetch_victoria.sh
# Prints the path of a VictoriaMetrics that takes OTLP: the system's, else Debian 13's, unpacked into
# a cache. Status 77: there is none, and stdout says why.
set -euo pipefail
lab=$(cd "$(dirname "$0")/../kernel" && pwd)
# shellcheck source-path=SCRIPTDIR/../kernel
. "$lab/lib.sh"
# shellcheck source-path=SCRIPTDIR/../kernel
. "$lab/apt_root.sh"

takes_otlp() {
    [ -x "$1" ] && [[ $("$1" -help 2>&1) == *opentelemetry* ]]
}

system=$(command -v victoria-metrics || true)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/powertrace/victoria-metrics
for program in "$system" "$cache/usr/bin/victoria-metrics"; do
    if takes_otlp "$program"; then
        echo "$program"
        exit 0
    fi
done

mkdir -p "$cache/apt"
work=$(mktemp -d "$cache/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
apt_root_open "$cache/apt" "$(dpkg --print-architecture)" trixie || skip "the mirror of Debian 13 cannot be reached"
apt_root_download "$cache/apt" "$work" victoria-metrics || skip "Debian 13's victoria-metrics cannot be had"
dpkg-deb -x "$work"/victoria-metrics_*.deb "$cache"
takes_otlp "$cache/usr/bin/victoria-metrics" || skip "Debian 13's victoria-metrics does not run here"
echo "$cache/usr/bin/victoria-metrics"
