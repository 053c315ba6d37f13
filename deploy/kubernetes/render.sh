#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes powertrace.yaml, the chart with its default values, for those who do without Helm.
# usage: deploy/kubernetes/render.sh [--check]   ($HELM: the helm to use)
set -euo pipefail
cd "$(dirname "$0")"
render() {
    printf '# SPDX-License-Identifier: Apache-2.0\n'
    printf '# The chart ../helm/powertrace with its default values: written by render.sh, not by hand.\n'
    "${HELM:-helm}" template powertrace ../helm/powertrace --namespace powertrace \
        --set tests.enabled=false | grep -vE '^# Source: |app.kubernetes.io/managed-by|helm.sh/chart'
}
if [ "${1:-}" = --check ]; then
    render | diff -u powertrace.yaml - || {
        echo "powertrace.yaml is not what the chart renders: run deploy/kubernetes/render.sh" >&2
        exit 1
    }
else
    render >powertrace.yaml.new && mv powertrace.yaml.new powertrace.yaml
fi
