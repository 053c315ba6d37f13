# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the end-to-end tests share; source it. Checks go on after a failure; finish with `finish`.
set -uo pipefail
: "${POWERTRACE:?the powertrace binary to test}"
export LC_ALL=C.UTF-8

E2E_DIR=$(mktemp -d)
chmod 755 "$E2E_DIR"
trap 'rm -rf "$E2E_DIR"' EXIT
# Where an unprivileged user can run it.
install -m 755 "$POWERTRACE" "$E2E_DIR/powertrace"
POWERTRACE=$E2E_DIR/powertrace
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --)
export as_nobody

checks=0 failures=0 last=

skip() {
    echo "skipped: $*"
    exit 77
}

# run COMMAND...: its output in $out, its errors in $err, its exit status in $status.
run() {
    last="$*"
    status=0
    "$@" >"$E2E_DIR/out" 2>"$E2E_DIR/err" </dev/null || status=$?
    out=$(tr -d '\0' <"$E2E_DIR/out")
    err=$(tr -d '\0' <"$E2E_DIR/err")
}

# check WHAT TEST...: TEST is a command that must succeed.
check() {
    checks=$((checks + 1))
    "${@:2}" && return 0
    failures=$((failures + 1))
    printf 'FAILED: %s\n  command: %.300s\n  status:  %s\n  stdout:  %.300s\n  stderr:  %.600s\n' \
        "$1" "$last" "$status" "$out" "$err"
}

matches() { # TEXT REGEX
    [[ $1 =~ $2 ]]
}

# refused STATUS REGEX COMMAND...: one message on stderr, nothing on stdout.
refused() {
    local want=$1 regex=$2
    run "${@:3}"
    check "exit status $want" [ "$status" -eq "$want" ]
    check "a message like /$regex/" matches "$err" "$regex"
    check "it begins with the program's name" matches "$err" '^powertrace: '
    check "nothing on stdout" [ -z "$out" ]
}

finish() {
    echo "$checks checks, $failures failed"
    [ "$failures" -eq 0 ]
    exit
}
