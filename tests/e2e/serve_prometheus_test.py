#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes the agent under load; what it then knows must add up.

POWERTRACE_SCRAPE_SECONDS is how long (default 12).
"""
import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from checks import check, skip, summary
from serve_agent import WORK, Agent

SECONDS = int(os.environ.get("POWERTRACE_SCRAPE_SECONDS", "12"))
CONFIG = """
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
- job_name: powertrace
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def start_prometheus(agent_port):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = WORK / "prometheus.yml"
    config.write_text(CONFIG.format(port=agent_port), encoding="utf-8")
    log = open(WORK / "prometheus.log", "w", encoding="utf-8")
    process = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={WORK / 'tsdb'}",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"], stdout=log, stderr=log)
    atexit.register(process.kill)
    return port


def query(port, expression):
    """The values of an instant query."""
    address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(address, timeout=20) as answer:
        result = json.load(answer)["data"]["result"]
    return [float(sample["value"][1]) for sample in result]


def counters(port):
    """Names of all counters but those of processes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/label/__name__/values", timeout=20) as answer:
        names = json.load(answer)["data"]
    return [name for name in names if name.endswith("_total") and "_process_" not in name]


def wait_for(port):
    for _ in range(100):
        try:
            if query(port, "up") == [1.0]:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError("Prometheus does not scrape")


def load():
    code = "import os,time\nwhile True:\n if os.fork() == 0: sum(range(300000)); os._exit(0)\n os.wait(); time.sleep(0.05)\n"
    for program in (code, "while True: pass"):
        process = subprocess.Popen([sys.executable, "-c", program])
        atexit.register(process.kill)


def one(port, expression):
    values = query(port, expression)
    check(len(values) == 1, f"{expression}: {values}")
    return values[0] if values else 0.0


def main():
    if os.geteuid() != 0:
        skip("needs root")
    if not shutil.which("prometheus"):
        skip("no prometheus: install Debian's package")
    load()
    agent = Agent("--levels", "cgroup,container,pod,vm,process", "--schema", "powertrace,kepler2,kepler1",
                  "--keep-terminated", "30s").wait_ready()
    port = start_prometheus(agent.port)
    wait_for(port)
    time.sleep(SECONDS)
    check(query(port, "min_over_time(up[1h])") == [1.0], "a scrape failed")
    samples = one(port, "scrape_samples_scraped")
    check(samples > 300, f"samples: {samples}")
    span = f"[{max(5, SECONDS - 3)}s]"
    for level in ("cgroup", "container", "pod", "vm"):
        share = one(port, f"sum(rate(powertrace_{level}_joules_total{span})) / "
                          f"sum(rate(powertrace_node_active_joules_total{span}))")
        check(abs(share - 1) < 0.02, f"rates of {level}s are {share} of the node's active power")
    watts = one(port, f'sum(rate(powertrace_node_joules_total{{in_total="true"}}{span}))')
    check(20 <= watts <= 110, f"node: {watts} W")
    split = one(port, f"sum(rate(kepler_node_cpu_active_joules_total{span})) + "
                      f"sum(rate(kepler_node_cpu_idle_joules_total{span}))")
    check(abs(split / watts - 1) < 0.02, f"Kepler's active and idle are {split} of {watts} W")
    old = one(port, f'sum(rate(kepler_container_joules_total{{mode="dynamic"}}{span}))')
    new = one(port, f"sum(rate(powertrace_container_joules_total{span}))")
    check(abs(old / new - 1) < 0.02, f"Kepler 0.9's containers have {old} W, ours {new} W")
    # A pid's next bearer is another series or begins anew; everything else only grows.
    resets = [name for name in counters(port) if max(query(port, f"resets({name}[1h])"), default=0) > 0]
    check(not resets, f"counters decreased: {resets}")
    print(f"{SECONDS} s, {samples:.0f} samples a scrape, {one(port, 'max_over_time(scrape_duration_seconds[1h])') * 1e3:.1f} ms "
          f"the longest, {watts:.1f} W")
    check(agent.stop() == 0, "exit")
    sys.exit(summary())


main()
