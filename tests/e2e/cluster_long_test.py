#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two agents, a Prometheus that scrapes them for minutes, the collector: it says what the agents'
own ledgers say, within 1 %, although one agent restarts in the middle.

usage: cluster_long_test.py [SECONDS]
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from checks import free_port

POWERTRACE = os.environ["POWERTRACE"]
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 300


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def wait_for(url):
    for _ in range(100):
        try:
            return fetch(url)
        except OSError:
            time.sleep(0.2)
    sys.exit(f"nothing answers at {url}")


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Lab:
    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.agents = [free_port(), free_port()]
        self.prometheus = free_port()
        self.collector = free_port()
        self.running = []

    def start(self, *command):
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.running.append(process)
        return process

    def agent(self, index):
        process = self.start(POWERTRACE, "serve", "--listen", f"127.0.0.1:{self.agents[index]}", "--node-name",
                             f"n{index}", "--source", "synthetic", "--synthetic", f"idle={40 + 20 * index},max=180",
                             "--idle-watts", "30", "--history", self.work / f"n{index}.db")
        time.sleep(1)
        if process.poll() == 3:
            print(f"skipped, because {process.stderr.read().decode().strip()}")
            sys.exit(77)
        wait_for(f"http://127.0.0.1:{self.agents[index]}/readyz")
        return process

    def ledger(self, index, start, end):
        text = subprocess.run([POWERTRACE, "cost", "--history", self.work / f"n{index}.db", "--by", "node", "--json",
                               "--from", iso(start), "--to", iso(end)], capture_output=True, check=True).stdout
        return json.loads(text)["total"]["joules"]


def run(lab):
    targets = ", ".join(f'"127.0.0.1:{port}"' for port in lab.agents)
    config = lab.work / "prometheus.yml"
    config.write_text("global: {scrape_interval: 2s, scrape_timeout: 2s}\nscrape_configs:\n"
                      f"  - job_name: powertrace\n    static_configs: [{{targets: [{targets}]}}]\n")
    agents = [lab.agent(0), lab.agent(1)]
    lab.start("prometheus", f"--config.file={config}", f"--storage.tsdb.path={lab.work}/data",
              f"--web.listen-address=127.0.0.1:{lab.prometheus}", "--log.level=error")
    wait_for(f"http://127.0.0.1:{lab.prometheus}/-/ready")
    load = lab.start("sh", "-c", "while :; do for i in 1 2 3 4 5; do :; done; done")
    lab.start(POWERTRACE, "collector", "--prometheus", f"http://127.0.0.1:{lab.prometheus}", "--listen",
              f"127.0.0.1:{lab.collector}")
    wait_for(f"http://127.0.0.1:{lab.collector}/readyz")
    time.sleep(10)
    start = int(time.time()) // 60 * 60 + 60
    end = start + SECONDS // 60 * 60
    time.sleep(start + (end - start) / 2 - time.time())
    agents[1].terminate()
    agents[1].wait(20)
    agents[1] = lab.agent(1)
    time.sleep(end + 5 - time.time())
    load.terminate()
    for each in agents:  # their last minute is written when they end
        each.terminate()
        each.wait(20)
    query = urllib.parse.urlencode({"start": iso(start), "end": iso(end)})
    answer = json.loads(fetch(f"http://127.0.0.1:{lab.collector}/api/v1/cost/hourly?{query}"))
    by_node = json.loads(subprocess.run([POWERTRACE, "cost", "--prometheus", f"http://127.0.0.1:{lab.prometheus}", "--by",
                                         "node", "--json", "--from", iso(start), "--to", iso(end)],
                                        capture_output=True, check=True).stdout)
    ledgers = [lab.ledger(index, start, end) for index in (0, 1)]
    found = answer["total"]["joules"]
    print(f"{(end - start) // 60} min: ledgers {ledgers[0]:.1f} + {ledgers[1]:.1f} J, collector {found:.1f} J "
          f"({(found / sum(ledgers) - 1) * 100:+.2f} %)")
    print({row["id"]: row["joules"] for row in by_node["rows"]})
    return abs(found - sum(ledgers)) <= 0.01 * sum(ledgers)


def main():
    if shutil.which("prometheus") is None:
        print("skipped: prometheus is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        lab = Lab(work)
        try:
            good = run(lab)
        finally:
            for process in reversed(lab.running):
                process.kill()
                process.wait()
    sys.exit(0 if good else 1)


main()
