# SPDX-License-Identifier: Apache-2.0
# The host's TAP output. Source it after lib.sh.
tap_count=0
tap_failed=0
tap_skipped=0

tap_ok() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $*"
}

tap_not_ok() {
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $*"
}

tap_skip() { # WHAT REASON
    tap_count=$((tap_count + 1))
    tap_skipped=$((tap_skipped + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# tap_guest NAME REPORT: the guest's lines, numbered and named.
tap_guest() {
    local line checks=0
    while IFS= read -r line; do
        case $line in
        'ok - '*' # SKIP '*) tap_skip "$1: $(cut -d' ' -f3- <<<"${line%% # SKIP *}")" "${line##* # SKIP }" ;;
        'ok - '*) tap_ok "$1: ${line#ok - }" ;;
        'not ok - '*) tap_not_ok "$1: ${line#not ok - }" ;;
        '1..'*) [ "${line#1..}" = "$checks" ] || tap_not_ok "$1: reported $checks checks of ${line#1..}" ;;
        '#'*) echo "$line" ;;
        *) note "$line" ;;
        esac
        case $line in 'ok - '* | 'not ok - '*) checks=$((checks + 1)) ;; esac
    done <"$2"
}

# tap_end: the plan and the closing line; fails if a check failed or none passed.
tap_end() {
    local passed=$((tap_count - tap_failed - tap_skipped))
    echo "1..$tap_count"
    echo "$passed passed, $tap_failed failed, $tap_skipped skipped"
    [ "$tap_failed" = 0 ] && [ "$passed" -gt 0 ]
}
