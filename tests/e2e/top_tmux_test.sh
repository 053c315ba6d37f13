#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# powertrace top on a real terminal: what it shows, what keys do, and that the terminal comes back.
. "$(dirname "$0")/tmux.sh"

said() { [[ $(tm capture-pane -p -J -t t) =~ $1 ]]; } # in lines that may be wrapped
pid_of_top() {
    local shell
    shell=$(tm display -p -t t '#{pane_pid}')
    pgrep -x powertrace -P "$shell"
}
# The modes as the shell set them, the main screen, a visible cursor.
modes() { keys "stty -g >$E2E_DIR/$1; touch $E2E_DIR/$1.done" Enter; }
terminal_is_back() {
    soon "$1: the main screen is back" main_screen
    rm -f "$E2E_DIR/after" "$E2E_DIR/after.done"
    modes after
    soon "$1: the shell answers" test -e "$E2E_DIR/after.done"
    check "$1: the modes are the same" cmp "$E2E_DIR/before" "$E2E_DIR/after"
}
main_screen() { [ "$(tm display -p -t t '#{alternate_on}#{cursor_flag}#{keypad_flag}')" = 010 ]; }
start() {
    keys "clear; $* '$pt' top --interval 200ms" Enter
    soon "$* top shows rows" shown 'WATTS.*COMMAND'
}

# dash, not bash: bash would repair the modes itself and hide what powertrace leaves behind.
tm new-session -d -s t -x 80 -y 24 "PS1='ready> ' exec dash -i"
soon "the shell is up" shown 'ready>'
modes before
soon "the modes are known" test -e "$E2E_DIR/before.done"
bash -c 'exec -a pt_e2e_load sh -c "while :; do :; done"' &
load=$!

start ''
soon "the load is a row" shown ' pt_e2e_load'
soon "an estimate is called one" shown 'ESTIMATE ±[0-9]+ %|measured by'
soon "a figure per zone" shown 'package-0 [0-9.]+ W'
soon "a graph" shown '[▁▂▃▄▅▆▇█]'
check "nothing is wider than the screen" [ "$(screen | wc -l)" -eq 24 ]
keys C
soon "sorted by CPU" shown 'CPU%▼'
keys r
soon "reversed" shown 'CPU%▲'
keys r W / pt_e2e
soon "the filter is typed" shown ' /pt_e2e'
soon "only the load is left" gone '\[kernel\]'
soon "the load is still there" shown ' pt_e2e_load'
keys Enter Enter
soon "the detail has the whole command" shown 'command +pt_e2e_load -c while'
keys Escape
soon "back at the table" shown 'PID'
keys Escape
soon "no filter any more" gone 'filter pt_e2e'
keys t
soon "a tree" shown '[└├]─'
keys t 4
soon "cgroups" shown 'CGROUP'
keys '?'
soon "the help" shown 'pause the display'
keys Escape 1 p
soon "paused" shown 'PAUSED'
keys p
soon "not paused" gone 'PAUSED'
keys +
soon "a longer interval" shown 'every 500 ms'
tm resize-window -t t -x 200 -y 60
soon "wide: users" shown 'USER'
check "60 lines" [ "$(screen | wc -l)" -eq 60 ]
tm resize-window -t t -x 20 -y 5
soon "tiny: the head" shown 'WATTS'
tm resize-window -t t -x 80 -y 24
soon "80x24 again" shown '1 process  2 thread'
kill "$load"
keys q
soon "it says what was used" said 'powertrace: .* J in .* W on average'
terminal_is_back "after q"

for signal in INT TERM HUP; do
    start ''
    kill -"$signal" "$(pid_of_top)"
    soon "it names SIG$signal" said "ended by SIG$signal"
    terminal_is_back "after SIG$signal"
done
for signal in KILL SEGV; do
    start ''
    kill -"$signal" "$(pid_of_top)"
    soon "the guard speaks after SIG$signal" shown 'ended without warning'
    terminal_is_back "after SIG$signal"
done

start ''
keys C-z
terminal_is_back "after Ctrl-Z"
keys 'fg' Enter
soon "it is back after fg" shown '1 process  2 thread'
keys q
terminal_is_back "after fg and q"

start ''
keys C-s
sleep 1
kill -TERM "$(pid_of_top)"
terminal_is_back "a stopped terminal, after SIGTERM"

start NO_COLOR=1
check "no colour" [ "$(tm capture-pane -e -p -t t | grep -cE $'\x1b\\[([0-9]+;)*[34][0-8]')" -eq 0 ]
keys q
terminal_is_back "without colour"
start TERM=vt100
keys q
terminal_is_back "as a vt100"
start LC_ALL=C
soon "ASCII has its own sign" shown 'WATTSv'
check "ASCII alone" [ -z "$(screen | tr -d '\0-\177')" ]
keys q
terminal_is_back "in the C locale"

keys "clear; TERM=dumb '$pt' top --interval 200ms --count 1 2>$E2E_DIR/note" Enter
soon "a dumb terminal gets tables" shown '\[unattributed\]'
check "and a note" grep -q 'cannot move its cursor: printing tables' "$E2E_DIR/note"

# A terminal that goes away takes powertrace with it, and its guard.
start ''
pid=$(pid_of_top)
guard=$(pgrep -P "$pid")
check "there is a guard" [ -n "$guard" ]
tm kill-server
ended() { ! kill -0 "$pid" 2>/dev/null && ! kill -0 "$guard" 2>/dev/null; }
screen() { :; }
soon "both have ended" ended

finish
