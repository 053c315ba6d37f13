#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# powertrace report and record on a real terminal: what they show, what keys do, and that the terminal comes back.
. "$(dirname "$0")/tmux.sh"

main_screen() { [ "$(tm display -p -t t '#{alternate_on}#{cursor_flag}')" = 01 ]; }

tm new-session -d -s t -x 110 -y 30 "PS1='ready> ' exec dash -i"
soon "the shell is up" shown 'ready>'
keys "cd $E2E_DIR; '$pt' record -g -F 199 -o a.data -- sh -c 'i=0; while [ \$i -lt 250000 ]; do i=\$((i+1)); done; sleep 2'" Enter
soon "recording shows how far it is" shown 'recording [0-9.]+ s, [0-9]+ windows, [0-9.]+ m?J, .* (bytes|MB); Ctrl-C ends'
soon "and what came of it" shown 'recorded [0-9.]+ s, [0-9]+ windows, [0-9.]+ J into a.data'
check "nothing of the progress is left" gone 'Ctrl-C ends'

keys "clear; '$pt' report a.data" Enter
soon "the table" shown 'JOULES +WATTS +SHARE'
soon "the file and its energy" shown '^a.data +[0-9.]+ J in [0-9.]+ s'
soon "an estimate is called one" shown 'ESTIMATE ±[0-9]+ %|measured by'
soon "the power over time" shown '[▁▂▃▄▅▆▇█]{3}'
soon "the command is a row" shown 'sh -c i=0'
keys / 'i=0' Enter
soon "only the command is left" gone '\[idle\]'
keys Enter
soon "its details" shown 'power over time'
soon "with its functions" shown 'functions, by their own energy'
check "and its time" shown 'CPU time +[0-9.]+ s'
keys Escape Escape
soon "back, without a filter" shown '\[idle\]'
keys 3
soon "by comm" shown '3 comm'
soon "no pids any more" gone 'sh -c i=0'
keys 7
soon "by function" shown 'SELF J .* FUNCTION'
keys / dash Enter Enter
soon "whom a function was called by" shown 'called by'
soon "and whom it calls" shown 'calls'
keys Left
soon "back at the functions" shown 'SELF J'
tm resize-window -t t -x 30 -y 8
soon "a tiny screen" shown 'SELF J'
tm resize-window -t t -x 110 -y 30
keys q
soon "the main screen is back" main_screen
keys "clear; '$pt' report --batch --by comm a.data | cat; '$pt' report --batch --by comm a.data" Enter
soon "--batch prints" shown '\[unattributed\]'
check "on the main screen" main_screen
keys "clear; '$pt' report --by symbol a.data" Enter
soon "functions at once" shown 'SELF J'
pid=$(pgrep -x powertrace -P "$(tm display -p -t t '#{pane_pid}')")
kill -TERM "$pid"
soon "after SIGTERM the main screen is back" main_screen
finish
