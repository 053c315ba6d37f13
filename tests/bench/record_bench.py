#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What recording costs with many tasks that all want to run, how large the file grows, and how long
reports and exports of long recordings take; beside what they should.

usage: record_bench.py BUILD [TASKS] [SECONDS]   (as root; nothing else should run)

BUILD has the program and make_recording: cmake --build --preset bench --target powertrace make_recording
CPU time is the process's own (user + system) as the kernel accounts it. Ends with 1 if a goal is missed.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1])
POWERTRACE = BUILD / "src/cli/powertrace"
MAKE_RECORDING = BUILD / "tests/bench/make_recording"
TASKS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 20.0
FORMATS = ("folded", "flamegraph", "speedscope", "chrome", "pprof", "firefox", "csv", "json")
missed = 0


def show(what, value, goal, unit, note=""):
    global missed
    missed += value > goal
    verdict = "ok" if value <= goal else "MISSED"
    print(f"| {what:<44} | {value:7.2f} {unit:<10} | {goal:5.1f} {unit:<10} | {verdict:<6} | {note}", flush=True)


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


def measure_recording(path, name, goal, *options):
    # Nice, or it would get its turn too rarely to cost anything.
    recorder = subprocess.Popen(["nice", "-n", "-20", POWERTRACE, "record", "-o", path, "--window", "10ms", *options],
                                stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size > 0) and time.monotonic() < until:
        time.sleep(0.1)
    leader = start_load()
    time.sleep(5)  # neither start-up nor forks nor the first look at mappings are asked for
    begin, begin_time, begin_bytes = cpu_seconds(recorder.pid), time.monotonic(), path.stat().st_size
    time.sleep(SECONDS)
    length = time.monotonic() - begin_time
    share = 100 * (cpu_seconds(recorder.pid) - begin) / length
    growth = (path.stat().st_size - begin_bytes) / length * 60 / 1e6
    os.killpg(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    recorder.send_signal(signal.SIGINT)
    said = re.search(r"recorded ([0-9.]+) s, ([0-9]+) windows", recorder.communicate()[1])
    window_ms = 1000 * float(said.group(1)) / int(said.group(2))
    show(f"record {name}", share, goal, "% of a core", f"windows of {window_ms:.1f} ms, {growth:.2f} MB a minute")
    return growth


def measure_run(what, goal, *command):
    begin = time.monotonic()
    child = subprocess.Popen([POWERTRACE, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - begin
    if child.returncode != 0:
        sys.exit(f"{what}: exit status {child.returncode}")
    cpu = used.ru_utime + used.ru_stime
    show(what, cpu, goal, "s of CPU", f"{took:.2f} s passed, {used.ru_maxrss / 1000:.0f} MB of memory")


with tempfile.TemporaryDirectory() as name:
    directory = pathlib.Path(name)
    print(f"| {'what':<44} | {'result':<18} | {'goal':<16} |        |")
    size = measure_recording(directory / "a", f"{TASKS} tasks, 10 ms windows", 2)
    measure_recording(directory / "b", "with stacks at 99 Hz", 3, "-g")
    show("file, without stacks", size, 1.5, "MB/minute")
    hour, million = directory / "hour", directory / "million"
    subprocess.run([MAKE_RECORDING, hour, "3600", "8", "0"], check=True)
    subprocess.run([MAKE_RECORDING, million, "3600", "8", "1000000"], check=True)
    measure_run("report of an hour, 2.9 million task windows", 1.5, "report", hour, "--json")
    for form in FORMATS:
        measure_run(f"export of a million samples: {form}", 5, "export", million, "--format", form, "-o",
                    directory / "out")
sys.exit(1 if missed else 0)
