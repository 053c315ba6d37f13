# SPDX-License-Identifier: Apache-2.0
# For the cases, inside the guest (busybox sh). Source it. One line per check; the host numbers them.

ok() { # TEXT
    echo "ok - $*"
}

not_ok() { # TEXT
    echo "not ok - $*"
}

skip() { # REASON...: this case says nothing about this guest
    echo "ok - $CASE # SKIP $*"
    exit 0
}

is() { # TEXT GOT WANTED
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1"
        echo "#   got:    $2"
        echo "#   wanted: $3"
    fi
}

check() { # TEXT COMMAND...: the command succeeds; its output explains a failure
    text=$1
    shift
    if out=$("$@" 2>&1); then
        ok "$text"
    else
        not_ok "$text (status $?: $*)"
        echo "$out" | sed 's/^/#   /'
    fi
}

within() { # TEXT GOT LEAST MOST
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
        ok "$1"
    else
        not_ok "$1: got $2, wanted $3 to $4"
    fi
}

errno_of() { # COMMAND...: what its shell or busybox applet says about why it failed
    "$@" 2>&1 >/dev/null | sed 's/.*: //'
}

write_to() { # FILE VALUE
    echo "$2" >"$1"
}

param() { # MODULE NAME
    cat "/sys/module/$1/parameters/$2"
}

# The test modules (see module/).
POWERCAP=/sys/class/powercap
POWER_PMU=/sys/bus/event_source/devices/power

load_rapl() { # PARAMETER=VALUE...
    insmod /lib/pt_fake_rapl.ko "$@" || exit 1
}

unload_rapl() { # closed perf events hold the module for a grace period
    for _ in $(seq 50); do
        rmmod pt_fake_rapl 2>/tmp/rmmod && return
        sleep 0.1
    done
    cat /tmp/rmmod
    exit 1
}

zone_names() {
    for zone in "$POWERCAP"/intel-rapl:*; do
        echo "${zone##*/}=$(cat "$zone/name")"
    done | tr '\n' ' ' | sed 's/ $//'
}

energy_of() { # ZONE, e.g. intel-rapl:0
    cat "$POWERCAP/$1/energy_uj"
}
