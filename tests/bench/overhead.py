#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `powertrace top --batch` itself costs, as ratios measured in one run.

usage: overhead.py POWERTRACE [SECONDS]   (as root; nothing else should run)

CPU time is the process's own (user + system) as the kernel accounts it; what its programs cost in
everybody else's switches is measured by switch_bench.
"""
import os
import signal
import subprocess
import sys
import time

POWERTRACE = sys.argv[1]
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0


class Tasks:
    """`count` processes that sleep for ever, or wake every `period` seconds and run for `busy`."""

    def __init__(self, count, period=None, busy=0.0):
        self.leader = os.fork()
        if self.leader == 0:
            os.setpgid(0, 0)
            for _ in range(count):
                if os.fork() == 0:
                    if period is None:
                        signal.pause()
                    while True:
                        end = time.process_time() + busy
                        while time.process_time() < end:
                            pass
                        time.sleep(period)
            signal.pause()
        try:
            os.setpgid(self.leader, self.leader)
        except PermissionError:
            pass

    def end(self):
        os.killpg(self.leader, signal.SIGKILL)
        os.waitpid(self.leader, 0)


def cpu_seconds(pid):
    # The process's CPU clock, as clock_getcpuclockid() makes its number: /proc knows only ticks.
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def rss_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def measure(name, *options):
    watcher = subprocess.Popen([POWERTRACE, "top", "--batch", *options],
                               stdout=subprocess.DEVNULL)
    time.sleep(2.5)  # start-up is not what is asked for
    begin, begin_time = cpu_seconds(watcher.pid), time.monotonic()
    time.sleep(SECONDS)
    share = 100 * (cpu_seconds(watcher.pid) - begin) / (time.monotonic() - begin_time)
    memory = rss_mb(watcher.pid)
    watcher.send_signal(signal.SIGTERM)
    watcher.wait()
    print(f"{name:<44} {share:6.2f} % of a core   {memory:6.1f} MB", flush=True)
    return share


def main():
    few = Tasks(100)
    time.sleep(1)
    idle = measure("idle, 100 sleeping processes")
    few.end()
    many = Tasks(4000)
    time.sleep(4)
    flat = measure("idle, 4 000 sleeping processes")
    many.end()
    print(f"{'ratio':<44} {flat / idle if idle else float('nan'):6.2f}")
    time.sleep(2)
    running = Tasks(200, period=0.0005, busy=0.0002)
    time.sleep(1)
    measure("10 ms windows, 200 running tasks", "--window", "10ms")
    running.end()
    crowd = Tasks(10_000, period=0.9)
    time.sleep(15)
    measure("10 000 live workloads")
    crowd.end()


main()
