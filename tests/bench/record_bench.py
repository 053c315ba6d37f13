#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What recording costs and how large the file grows, with many tasks that all want to run.

usage: record_bench.py POWERTRACE [TASKS] [SECONDS]   (as root; nothing else should run)

CPU time is the process's own (user + system) as the kernel accounts it.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

POWERTRACE = sys.argv[1]
TASKS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 10.0


def start_load():
    leader = os.fork()
    if leader == 0:
        os.setpgid(0, 0)
        for _ in range(TASKS):
            if os.fork() == 0:
                end = time.monotonic() + 3 * SECONDS + 60  # whatever happens to the parent
                while time.monotonic() < end:
                    pass
                os._exit(0)
        signal.pause()
    return leader


def cpu_seconds(pid):
    # The process's CPU clock, as clock_getcpuclockid() makes its number: /proc knows only ticks.
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def measure(path, name, *options):
    # Nice, or it would get its turn too rarely to cost anything.
    recorder = subprocess.Popen(["nice", "-n", "-20", POWERTRACE, "record", "-o", path, "--window", "10ms", *options],
                                stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not (os.path.exists(path) and os.stat(path).st_size > 0) and time.monotonic() < until:
        time.sleep(0.1)
    leader = start_load()
    time.sleep(2)  # neither start-up nor forks are asked for
    begin, begin_time, begin_bytes = cpu_seconds(recorder.pid), time.monotonic(), os.stat(path).st_size
    time.sleep(SECONDS)
    length = time.monotonic() - begin_time
    share = 100 * (cpu_seconds(recorder.pid) - begin) / length
    growth = (os.stat(path).st_size - begin_bytes) / length * 60 / 1e6
    os.killpg(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    recorder.send_signal(signal.SIGINT)
    said = re.search(r"recorded ([0-9.]+) s, ([0-9]+) windows", recorder.communicate()[1])
    length = 1000 * float(said.group(1)) / int(said.group(2))
    print(f"{name:<26} {share:6.2f} % of a core  {growth:6.2f} MB a minute  {length:5.1f} ms a window", flush=True)


with tempfile.TemporaryDirectory() as directory:
    measure(f"{directory}/a", f"{TASKS} tasks, 10 ms windows")
    measure(f"{directory}/b", "with stacks at 99 Hz", "-g")
