#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a scrape of `powertrace serve` costs: latency of fresh and of repeated pages, CPU, memory.

usage: POWERTRACE=build/bench/src/cli/powertrace tests/bench/serve_bench.py [PROCESSES ACTIVE [SCRAPES [SECONDS [CASES]]]]

Starts that many sleeping processes, of which ACTIVE wake twice a second, and scrapes them. Beside each page it
asks for /healthz, which costs nothing to make: what that takes, machine and client take. CASES limits how
many of the four are run. Run as root on a quiet machine; docs/performance.md has figures.
"""
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

SPAWN = """
import os, signal, sys, time
pids = []
for i in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        if i < int(sys.argv[2]):
            while True:
                time.sleep(0.5)
                sum(range(200))
        time.sleep(3 + i % 50 * 0.05)  # it has to run once to be known
        signal.pause()
    pids.append(pid)
print("ready", flush=True)
sys.stdin.read()
for pid in pids:
    os.kill(pid, signal.SIGKILL)
"""
CASES = [("kepler2", "process,container", "text/plain"), ("powertrace", "process,container", "text/plain"),
         ("powertrace", "process,container", "application/openmetrics-text"),
         ("powertrace,kepler2", "cgroup,container,pod,vm", "application/openmetrics-text")]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def number(name, page):
    return float(re.search(rf"^{name} (\S+)", page, re.M).group(1))


def measure(schema, levels, accept, scrapes, seconds):
    agent = subprocess.Popen([os.environ["POWERTRACE"], "--source", "synthetic", "serve", "--listen", "127.0.0.1:0",
                              "--schema", schema, "--levels", levels], stdout=subprocess.PIPE, text=True)
    url = agent.stdout.readline().split()[-1]

    def scrape(path="metrics"):
        begin = time.perf_counter()
        request = urllib.request.Request(url + path, headers={"Accept": accept, "Accept-Encoding": "gzip"})
        body = urllib.request.urlopen(request, timeout=60).read()
        return (time.perf_counter() - begin) * 1e3, len(body)

    time.sleep(12)
    fresh, again, nothing = [], [], []
    cpu, begin = cpu_seconds(agent.pid), time.monotonic()
    for _ in range(scrapes):
        time.sleep(seconds)
        took, size = scrape()
        fresh.append(took)
        again.append(scrape()[0])
        nothing.append(scrape("healthz")[0])
    share = (cpu_seconds(agent.pid) - cpu) / (time.monotonic() - begin)
    page = urllib.request.urlopen(url + "metrics", timeout=60).read().decode()
    series = sum(1 for line in page.splitlines() if not line.startswith("#"))

    def percentiles(times):
        times.sort()
        return f"p50 {times[len(times) // 2]:.1f} p90 {times[int(len(times) * 0.9)]:.1f} p99 {times[int(len(times) * 0.99)]:.1f} ms"

    print(f"{schema} {levels} {accept}: {series} series, {len(page) / 1e6:.2f} MB plain, {size / 1e3:.0f} kB sent; "
          f"fresh {percentiles(fresh)}, repeated {percentiles(again)}, /healthz {percentiles(nothing)}; "
          f"CPU {share * 100:.2f} % of a core, RSS {number('process_resident_memory_bytes', page) / 1e6:.0f} MB", flush=True)
    agent.terminate()
    agent.wait()


def main():
    arguments = [int(text) for text in sys.argv[1:]]
    processes, active, scrapes, seconds, cases = arguments + [4000, 400, 24, 5, len(CASES)][len(arguments):]
    for schema, levels, accept in CASES[:cases]:
        spawn = subprocess.Popen([sys.executable, "-c", SPAWN, str(processes), str(active)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        spawn.stdout.readline()
        measure(schema, levels, accept, scrapes, seconds)
        spawn.communicate("")


main()
