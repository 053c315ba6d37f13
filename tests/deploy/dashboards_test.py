#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every query of the dashboards and every rule, asked of a real Prometheus that scrapes a real agent,
whose pods are real cgroups with names from a stand-in for the API server. Each must answer, and no
counter may ever go down.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from checks import check, free_port, skip, summary, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/powertrace"
POWERTRACE = os.environ["POWERTRACE"]
SECONDS = 20
# What a machine without hardware counters, virtual machines and trouble has none of.
MAY_BE_EMPTY = re.compile(r"_instructions_total|_gigahertz|_errors_total|_restores_total|powertrace_vm_|powertrace_zone_up.* == 0|_effective.* == 0")
VARIABLES = {"$__rate_interval": "10s", "$__range": "15s", "$instance": ".*", "$namespace": "team-.*", "$top": "10",
             "$workload": ".*",
             "$price": "0.25", "$carbon": "350", "$pue": "1.2"}


def cgroup2():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, more = line.partition(" - ")
        if more.startswith("cgroup2 "):
            return pathlib.Path(fields.split()[4])
    return skip("there is no cgroup2 to make a pod's cgroup in")


class Pod:
    """Number `number` of fake_kube.py, as a busy process in the cgroup that its kubelet would make."""

    def __init__(self, number):
        self.top = cgroup2() / f"kubepods-{os.getpid()}"
        uid = f"00000000-0000-4000-8000-{number:012d}"
        self.path = self.top / "burstable" / f"pod{uid}" / f"{number:064x}"
        self.path.mkdir(parents=True)
        self.process = subprocess.Popen(["sh", "-c", "while :; do :; done"])
        (self.path / "cgroup.procs").write_text(str(self.process.pid))

    def remove(self):
        self.process.kill()
        self.process.wait()
        for path in (self.path, self.path.parent, self.path.parent.parent, self.top):
            for _ in range(20):
                try:
                    path.rmdir()
                    break
                except OSError:
                    time.sleep(0.05)


class Cap:
    """cap enforce on a sysfs that is this machine's but for its limits, with an hour's price."""

    def __init__(self, directory):
        self.root, self.market = directory / "sys", directory / "market"
        zone = self.root / "class/powercap/intel-rapl:0"
        zone.mkdir(parents=True)
        for name in ("bus", "devices", "fs", "kernel"):
            (self.root / name).symlink_to(f"/sys/{name}")
        files = {"name": "package-0", "enabled": 1, "energy_uj": 1_000_000, "max_energy_range_uj": 262_143_328_850}
        for number, name in ((0, "long_term"), (1, "short_term")):
            files |= {f"constraint_{number}_name": name, f"constraint_{number}_power_limit_uw": 200_000_000,
                      f"constraint_{number}_max_power_uw": 200_000_000, f"constraint_{number}_time_window_us": 1_000_000}
        for name, value in files.items():
            (zone / name).write_text(f"{value}\n")
        hour = int(time.time()) // 3600 * 3600
        times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(hour + offset)) for offset in (0, 3600, 7200)]
        prices = directory / "prices.csv"
        prices.write_text(f"start,end,price,unit\n{times[0]},{times[1]},95,EUR/MWh\n{times[1]},{times[2]},95,EUR/MWh\n")
        subprocess.run([POWERTRACE, "market", "import", prices, "--area", "FR", "--market-dir", self.market], check=True,
                       capture_output=True)
        self.run = directory / "run"

    def command(self, port):
        return [POWERTRACE, "--sysfs", self.root, "--source", "synthetic", "--idle-watts", "5", "cap", "enforce", "--write",
                "--enabled", "--profile", "--policy", "price-threshold", "--low", "20EUR/MWh", "--high", "90EUR/MWh",
                "--slew", "1000", "--area", "FR", "--market-dir", self.market, "--state-dir", self.run, "--listen",
                f"127.0.0.1:{port}"]


def fill(expr):
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def queries():
    for path in sorted((CHART / "files/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", fill(target["expr"])


def ask(base, query):
    url = f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        return check(False, f"{query}: {json.load(error).get('error')}") or []


def check_page(page):
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("powertrace_")]
    check(not ours, f"promtool check metrics: {ours}")


def check_answers(base):
    for name, query in queries():
        result = ask(base, query)
        check(result or MAY_BE_EMPTY.search(query), f"{name}: no answer to {query}")
        check(all(sample["value"][1] not in ("NaN", "+Inf") for sample in result), f"{name}: no number: {query}")
    for name in ("node:powertrace_watts:rate2m", "pod:powertrace_watts:rate2m", "namespace:powertrace_watts:rate2m",
                 "owner:powertrace_watts:rate2m", "container:powertrace_watts:rate2m"):
        check(ask(base, name), f"rule {name}: no answer")
    pods = ask(base, 'powertrace_pod_joules_total{zone="package",pod_id!="[others]"}')
    names = {(p["metric"].get("pod_name"), p["metric"].get("owner_kind"), p["metric"].get("owner_name")) for p in pods}
    check(("web-5c9f8d7b6-00001", "Deployment", "web") in names, f"pods are called {names}")
    resets = ask(base, '{__name__=~"powertrace_.*_total"}')
    check(len(resets) > 30, f"only {len(resets)} counters")
    for metric in sorted({sample["metric"]["__name__"] for sample in resets}):
        falls = [s for s in ask(base, f"resets({metric}[{SECONDS}s])") if float(s["value"][1]) > 0]
        check(not falls, f"{metric} goes down: {falls[:1]}")
    sums = ask(base, f'sum(rate(powertrace_container_joules_total{{zone="package"}}[{SECONDS}s]))'
                     f' / sum(rate(powertrace_node_active_joules_total{{zone="package"}}[{SECONDS}s]))')
    share = float(sums[0]["value"][1]) if sums else 0
    check(abs(share - 1) < 0.01, f"containers and the rest are {share:.4f} of the node's active power")


def main():
    if os.geteuid() != 0:
        skip("loading eBPF programs takes root")
    for program in ("prometheus", "promtool"):
        if not shutil.which(program):
            skip(f"{program} is not installed (package prometheus)")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="powertrace-dashboards-"))
    started, pods = [], []

    def start(*command, **options):
        started.append(subprocess.Popen([str(part) for part in command], text=True, **options))
        return started[-1]

    try:
        (directory / "token").write_text("secret")
        kube = start(ROOT / "tests/support/fake_kube.py", directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        kube_url = f"https://127.0.0.1:{int(kube.stdout.readline())}"
        order = urllib.request.Request(kube_url + "/control", json.dumps({"pods": 3}).encode())
        context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
        urllib.request.urlopen(order, context=context, timeout=5).close()
        pods += [Pod(1), Pod(2)]
        agent_port, prometheus_port = free_port(), free_port()
        agent = start(POWERTRACE, "--source", "synthetic", "--idle-watts", "5", "--kube", "api", "--kube-url", kube_url,
                      "--kube-ca", directory / "ca.crt", "--kube-token-file", directory / "token", "--node-name", "node-1",
                      "serve", "--listen", f"127.0.0.1:{agent_port}", stderr=subprocess.PIPE)
        page = f"http://127.0.0.1:{agent_port}"
        cap_port = free_port()
        start(*Cap(directory).command(cap_port), stdout=subprocess.DEVNULL)
        wait_for(lambda: "powertrace_powercap_limit" in urllib.request.urlopen(
            f"http://127.0.0.1:{cap_port}/metrics", timeout=5).read().decode(), "cap is not ready")

        def ready():
            if agent.poll() is not None:
                skip(f"serve: {agent.stderr.read().strip()}")
            return urllib.request.urlopen(page + "/readyz", timeout=5).status == 200

        wait_for(ready, "serve is not ready")
        shutil.copy(CHART / "files/rules.yaml", directory)
        rules = (directory / "rules.yaml").read_text().replace("[2m]", "[10s]").replace("interval: 30s", "interval: 2s")
        (directory / "rules.yaml").write_text(rules)
        (directory / "prometheus.yaml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 2s}\nrule_files: [rules.yaml]\nscrape_configs:\n"
            f"  - {{job_name: powertrace, static_configs: [{{targets: ['127.0.0.1:{agent_port}']}}]}}\n"
            f"  - {{job_name: cap, static_configs: [{{targets: ['127.0.0.1:{cap_port}']}}]}}\n")
        start("prometheus", f"--config.file={directory}/prometheus.yaml", f"--storage.tsdb.path={directory}/data",
              f"--web.listen-address=127.0.0.1:{prometheus_port}", "--log.level=error")
        base = f"http://127.0.0.1:{prometheus_port}"
        wait_for(lambda: urllib.request.urlopen(base + "/-/ready", timeout=5).status == 200, "prometheus is not ready")
        time.sleep(SECONDS)
        check_page(urllib.request.urlopen(page + "/metrics", timeout=5).read().decode())
        check_answers(base)
    finally:
        for pod in pods:
            pod.remove()
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            if process.stdin:
                process.stdin.close()
            process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
