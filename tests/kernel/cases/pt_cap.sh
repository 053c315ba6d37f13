# SPDX-License-Identifier: Apache-2.0
# `powertrace cap` on the kernel's powercap class: limits are rounded and obeyed, and whatever ends it,
# what was found comes back.
. /lib/tap.sh
. /lib/powertrace.sh

load_rapl busy_mw=0,0,0,0,0 idle_mw=100000,1000,0,0,0 has=1,1,0,0,1 \
    cpu_pmu=1 cpu_mhz=2000
zone=$POWERCAP/intel-rapl:0
parameters=/sys/module/pt_fake_rapl/parameters
state=/tmp/cap

tree() { # every limit, window and switch
    (cd $POWERCAP && grep . ./*/enabled ./*/constraint_?_[pt]*_u?)
}
limit() {
    cat $zone/constraint_0_power_limit_uw
}
options="--policy schedule --slew 1000 --tick 200ms --state-dir $state"
enforce() { # SHARE ARGUMENT...: in the background, until the limit has changed
    powertrace cap enforce --write --enabled $options --schedule "$@" >/tmp/cap.out 2>&1 &
    capper=$!
    await changed
}
await() { # COMMAND...
    for _ in $(seq 50); do
        "$@" && return
        sleep 0.2
    done
    echo "# gave up waiting: $*"
    tail -3 /tmp/cap.out
}
changed() { [ "$(limit)" != 125000000 ]; }
restored() { [ "$(tree)" = "$found" ] && [ ! -e $state/powercap-state.json ]; }
found=$(tree)

check "observe says what it would do" powertrace cap observe $options --schedule 60% --count 2
is "and writes nothing" "$(tree)" "$found"

enforce 55.07%
is "enforce sets a limit of whole eighths of a watt" "$(limit)" 68750000
is "of no other zone, constraint or window" "$(tree | grep -v '68750000$')" \
    "$(echo "$found" | grep -v 'rapl:0/constraint_0_power_limit')"
elapsed=$(energy_of intel-rapl:0:0) used=$(energy_of intel-rapl:0) # core, at 1 W, is the clock
sleep 2
elapsed=$(($(energy_of intel-rapl:0:0) - elapsed)) used=$(($(energy_of intel-rapl:0) - used))
within "the package draws that, not 100 W" $((used / elapsed)) 50 85
check "status names the limit" sh -c "powertrace cap status --state-dir $state --json | grep -q '68.75'"
kill -TERM $capper
wait $capper
is "SIGTERM ends it" "$?" 0
is "and brings everything back" "$(tree)" "$found"

enforce 60%
kill -KILL $capper
await restored
is "after SIGKILL the guardian brings everything back" "$(tree)" "$found"

enforce 60% --no-guardian
kill -KILL $capper
wait $capper
check "without a guardian the limit stays" changed
check "cap restore ends well" powertrace cap restore --state-dir $state
is "and brings everything back" "$(tree)" "$found"
check "a second one has nothing to do" powertrace cap restore --state-dir $state

# The class answers ENODATA for whatever the driver refuses.
echo 1 >$parameters/locked
powertrace cap enforce --write --enabled $options --schedule 60% --count 3 >/tmp/cap.out 2>&1
is "with no zone that takes a limit it ends with status 3" "$?" 3
check "it is named as locked" grep -q "locked by the firmware" /tmp/cap.out
is "and left as found" "$(tree)" "$found"
echo 0 >$parameters/locked

echo 5 >$parameters/fail_errno
powertrace cap enforce --write --enabled $options --schedule 60% --count 2 >/tmp/cap.out 2>&1
is "without a zone to limit it ends with status 3" "$?" 3
check "that names the reason" grep -q "locked" /tmp/cap.out
echo 0 >$parameters/fail_errno
is "and everything is as found" "$(tree)" "$found"

enforce 60%
echo 5 >$parameters/fail_errno
await grep -q "no package takes a limit any more" /tmp/cap.out
check "a zone that fails under it is given up" grep -q "no package takes a limit any more" /tmp/cap.out
wait $capper
check "and that it could not be put back is said" grep -q "powertrace cap restore" /tmp/cap.out
echo 0 >$parameters/fail_errno
check "cap restore ends well once it heals" powertrace cap restore --state-dir $state
is "and everything comes back" "$(tree)" "$found"

# What a limit costs whom: with the stand-in counters the CPU runs at 2 GHz until the limit, then at 1.2.
date -u -s "2026-01-01 12:00:00" >/dev/null
spin 60 1 &
spinner=$!
powertrace --counters always cap enforce --write --enabled $options --schedule "100%, 60% 13:00-14:00" --tz UTC \
    --profile --by comm >/tmp/cap.out 2>&1 &
capper=$!
# Not `powertrace cap status`: a stream of them would be all that the other CPU does.
seen_free() { grep -A9 '"free"' $state/powercap-status.json | grep -q '"ghz": *[12]'; }
await seen_free
sleep 5 # a stall of the emulator is much of a second
date -u -s "2026-01-01 12:59:59" >/dev/null
await changed
echo 1200 >$parameters/cpu_mhz
sleep 6
check "status tells its effect" sh -c "powertrace cap status --state-dir $state --json >/out/effect"
kill -TERM $capper $spinner
wait $capper
is "and everything comes back" "$(tree)" "$found"

enforce 60%
check "a zone goes away under it" write_to $parameters/vanish 0
wait $capper
is "with no other it gives up, with status 3" "$?" 3
check "and says so" grep -q "no package takes a limit any more" /tmp/cap.out
unload_rapl
