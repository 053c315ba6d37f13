#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes, for those who do without Helm, what the chart renders: powertrace.yaml with its default
# values, collector.yaml and cap.yaml with what they add when they are switched on.
# usage: deploy/kubernetes/render.sh [--check]   ($HELM: the helm to use)
set -euo pipefail
cd "$(dirname "$0")"
chart() {
    "${HELM:-helm}" template powertrace ../helm/powertrace --namespace powertrace --set tests.enabled=false "$@" |
        grep -vE '^# Source: |app.kubernetes.io/managed-by|helm.sh/chart'
}
render() {
    printf '# SPDX-License-Identifier: Apache-2.0\n'
    case $1 in
        powertrace)
            printf '# The chart ../helm/powertrace with its default values: written by render.sh, not by hand.\n'
            chart ;;
        collector)
            printf '# The cost service: written by render.sh. Set prometheus, and prices of your own.\n'
            chart -s templates/collector.yaml --set collector.enabled=true --set collector.config.price=0.12EUR/kWh \
                --set collector.config.prometheus=http://prometheus-operated.monitoring:9090 --set collector.config.pue=1.3 \
                --set collector.config.carbon=400g/kWh ;;
        cap)
            printf '# Power limits, observing only, on nodes with the label powertrace.io/cap=enabled: written by\n'
            printf '# render.sh. To enforce, use the chart with cap.mode=enforce, which also restores at the end.\n'
            chart -s templates/cap.yaml --set cap.enabled=true ;;
    esac
}
for part in powertrace collector cap; do
    if [ "${1:-}" = --check ]; then
        render $part | diff -u $part.yaml - || {
            echo "$part.yaml is not what the chart renders: run deploy/kubernetes/render.sh" >&2
            exit 1
        }
    else
        render $part >$part.yaml.new && mv $part.yaml.new $part.yaml
    fi
done
