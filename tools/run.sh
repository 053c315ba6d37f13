#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds powertrace and runs it.
# usage: sudo tools/run.sh [COMMAND [OPTION...]]      (default: top)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

if [ "$(id -u)" -ne 0 ]; then
    echo "tools/run.sh: powertrace loads eBPF programs and reads energy counters, which takes root:" \
        "sudo $0 $*" >&2
    exit 3
fi
# Said before the build; powertrace itself checks for real.
if [ ! -r /sys/kernel/btf/vmlinux ]; then
    echo "tools/run.sh: warning: kernel $(uname -r) has no BTF (/sys/kernel/btf/vmlinux), which" \
        "measuring needs: boot a distribution's kernel, 5.15 or later" >&2
fi

"$root/tools/install_packages.sh" "$root/tools/apt-packages.txt"
(
    cd "$root"
    export PATH=$PATH:/usr/sbin
    # A checkout that is not root's gets its build directory back.
    trap 'chown -hR --reference=. build' EXIT
    cmake --preset release >/dev/null
    cmake --build --preset release >&2
)
[ $# -gt 0 ] || set -- top
exec "$root/build/release/src/cli/powertrace" "$@"
