# SPDX-License-Identifier: Apache-2.0
# For the cases that run powertrace, after tap.sh. A trace leaves /out/NAME.json (a snapshot per
# line), /out/NAME.err and facts to compare with; verify.py judges them on the host.

facts() { # KEY VALUE
    echo "$CASE.$1 $2" >>/out/facts
}

trace_start() { # NAME ARGUMENT...: returns when the first snapshot is out
    name=$1
    shift
    powertrace top --batch --json "$@" >"/out/$name.json" 2>"/out/$name.err" &
    tracer=$!
    for _ in $(seq 100); do
        [ -s "/out/$name.json" ] && break
        kill -0 "$tracer" 2>/dev/null || break
        sleep 0.3 # emulated, a look costs some ten milliseconds
    done
}

trace_end() { # TEXT WANTED_STATUS
    wait "$tracer"
    status=$?
    is "$1" "$status" "$2"
    [ "$status" = "$2" ] || sed 's/^/#   /' "/out/$name.err"
}

# A trace that would end by itself could end before a load that a slow machine has started late.
trace_stop() { # TEXT
    kill -TERM "$tracer"
    trace_end "$1" 130
}

snapshots() { # until the running trace has N more
    wanted=$(($(wc -l <"/out/$name.json") + $1))
    for _ in $(seq 200); do
        [ "$(wc -l <"/out/$name.json")" -ge "$wanted" ] && return
        kill -0 "$tracer" 2>/dev/null || return
        sleep 0.3
    done
}

cgroup_new() { # DIRECTORY: a v2 group, empty
    mkdir -p /sys/fs/cgroup
    grep -q '^[^ ]* /sys/fs/cgroup ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir "/sys/fs/cgroup/$1"
}

# The command is stopped while it is moved: the kernel charges what a task runs on the way to either
# group, which is milliseconds when the host takes the CPU just then.
in_cgroup() { # DIRECTORY COMMAND...
    directory=$1
    shift
    sh -c 'kill -STOP $$; exec "$@"' sh "$@" &
    moved=$!
    until grep -q '^State:.T' "/proc/$moved/status"; do sleep 0.02; done
    echo "$moved" >"/sys/fs/cgroup/$directory/cgroup.procs"
    kill -CONT "$moved"
    wait "$moved"
}

cgroup_usec() { # DIRECTORY
    sed -n 's/^usage_usec //p' "/sys/fs/cgroup/$1/cpu.stat"
}

doctor() { # its findings are in /tmp/doctor, its status in $status
    powertrace doctor >/tmp/doctor 2>&1
    status=$?
}

finding() { # ID: its status and what it says
    sed -n "s/^\([a-z]*\)  *$1  */\1 /p" /tmp/doctor
}

doctor_says() { # PATTERN
    grep -q "$1" /tmp/doctor || { cat /tmp/doctor && false; }
}

refused() { # TEXT PATTERN: powertrace ends with status 3, a reason and no snapshot
    timeout 30 powertrace top --batch --json --count 1 >/tmp/stdout 2>/tmp/stderr
    is "$1: powertrace refuses with exit status 3" "$?" 3
    check "$1: it says why" grep -q "$2" /tmp/stderr
    is "$1: and prints no snapshot" "$(cat /tmp/stdout)" ""
    sed 's/^/# /' /tmp/stderr
}
