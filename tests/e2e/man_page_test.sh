#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The man page is well-formed and has every command and option of the program.
. "$(dirname "$0")/lib.sh"
page=${MAN_PAGE:?the man page to test}
[ -f "$page" ] || skip "cross-compiled: there is no man page"
command -v groff >/dev/null || skip "groff is not installed"

# GROFF_NO_SGR: no escape sequences; -rLL: lines long enough that no option is broken.
run env GROFF_NO_SGR=1 groff -man -Tascii -ww -P-buo -rLL=300n "$page"
check "no warnings" [ -z "$err" ]
rendered=$out
check "nothing is left to fill in" [ "${rendered//@/}" = "$rendered" ]
check "the version is the program's" matches "$rendered" "$("$POWERTRACE" --version)"

commands=$("$POWERTRACE" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]*\) .*/\1/p')
check "there are commands" matches "$commands" 'top'
for command in '' $commands; do
    # shellcheck disable=SC2086
    options=$("$POWERTRACE" $command --help | grep -oE '^  +(-[a-zA-Z],)?--[a-z0-9.-]+' | grep -oE -- '--[a-z0-9.-]+')
    check "${command:-powertrace} has options" [ -n "$options" ]
    [ -z "$command" ] || check "powertrace $command" matches "$rendered" "powertrace $command"
    for option in $options; do
        check "$command $option" matches "$rendered" "[ ,]${option}[[:space:]]"
    done
done

finish
