# SPDX-License-Identifier: Apache-2.0
# For tests that watch powertrace on a real terminal: a tmux server of their own, what it shows and takes.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pt=$POWERTRACE
[ "$(id -u)" -eq 0 ] || skip "needs root"
command -v tmux >/dev/null || skip "needs tmux"
"$pt" top --batch --count 1 --interval 100ms >/dev/null 2>"$E2E_DIR/why" || skip "$(cat "$E2E_DIR/why")"

export TMUX_TMPDIR=$E2E_DIR
unset TMUX NO_COLOR
tm() { tmux -L test -f /dev/null "$@"; }
load= # a process that the test started
cleanup() {
    [ -z "$load" ] || kill "$load" 2>/dev/null
    tm kill-server 2>/dev/null
    rm -rf "$E2E_DIR"
}
trap cleanup EXIT

screen() { tm capture-pane -p -t t; }
keys() { tm send-keys -t t "$@"; }
shown() { [[ $(screen) =~ $1 ]]; }
gone() { ! shown "$1"; }
# soon WHAT TEST...: TEST succeeds within some seconds, however busy the machine is.
soon() {
    local what=$1
    last="$what"
    for _ in $(seq 200); do
        "${@:2}" && break
        sleep 0.1
    done
    out=$(screen) err='' status=0
    check "$what" "${@:2}"
}
