#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: enter.sh STATE COMMAND...
# Runs COMMAND on the node of the cluster that cluster.sh runs in STATE.
set -euo pipefail
state=$1
shift
export KUBECONFIG=$state/kubeconfig
exec nsenter --target "$(cat "$state/pid")" --net --mount --wdns="$PWD" "$@"
