#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent pushes to a real VictoriaMetrics: by InfluxDB's second protocol and, where the server
knows it, by OTLP. What arrived is the agent's own figures, sample by sample.

Debian 12's server is too old for OTLP; FETCH_VICTORIA=1 gets Debian 13's.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from datetime import datetime

from checks import check, free_port, skip, summary, wait_for


POWERTRACE = os.environ["POWERTRACE"]
HERE = pathlib.Path(__file__).resolve().parent
NODE = "n 1,x"


def find_server():
    if not os.environ.get("FETCH_VICTORIA"):
        return shutil.which("victoria-metrics") or skip("victoria-metrics is not installed")
    done = subprocess.run([HERE / "fetch_victoria.sh"], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        skip(done.stdout.strip())
    if done.returncode != 0:
        sys.exit(f"FAILED: {done.stderr.strip()}")
    return done.stdout.strip()


def takes_otlp(server):
    done = subprocess.run([server, "-help"], capture_output=True, text=True, check=False)
    return "opentelemetry" in done.stdout + done.stderr


class Victoria:
    def __init__(self, server, work):
        self.base = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen([server, f"-storageDataPath={work}/victoria", f"-httpListenAddr={self.base}",
                                         "-loggerLevel=ERROR"])
        wait_for(lambda: self.get("/health"), "VictoriaMetrics does not start")

    def get(self, path, **parameters):
        url = f"http://{self.base}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()

    def samples(self, name, **labels):
        """{(zone, time in ms): value}, raw."""
        self.get("/internal/force_flush")
        selector = ",".join(f'{key}="{value}"' for key, value in {"__name__": name, **labels}.items())
        found = {}
        for line in self.get("/api/v1/export", **{"match[]": "{" + selector + "}"}).splitlines():
            series = json.loads(line)
            zone = series["metric"].get("hw.id") or series["metric"]["zone"]
            found.update({(zone, at): value for at, value in zip(series["timestamps"], series["values"])})
        return found


def own_samples(work, scope, value):
    """The same out of the agent's file."""
    found = {}
    for line in (work / "rows.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["scope"] == scope:
            at = round(datetime.fromisoformat(row["end"].replace("Z", "+00:00")).timestamp() * 1000)
            found[(row["zone"], at)] = row[value]
    return found


def compare(victoria, name, labels, own, what):
    """All of what the agent wrote down arrived, with its times and values."""
    check(len(own) >= 6, f"{what}: only {len(own)} samples")
    wait_for(lambda: victoria.samples(name, **labels).keys() >= own.keys(), f"{what}: not all samples arrive")
    arrived = victoria.samples(name, **labels)
    check(arrived.keys() == own.keys(), f"{what}: samples {sorted(arrived)}, own {sorted(own)}")
    for key in arrived.keys() & own.keys():
        check(abs(arrived[key] - own[key]) <= 1e-9 * abs(own[key]), f"{what} {key}: {arrived[key]}, own {own[key]}")
    print(f"{what}: {len(arrived)} samples arrived, {len(own)} were sent")


def main():
    server = find_server()
    otlp = takes_otlp(server)
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        victoria = Victoria(server, work)
        command = [POWERTRACE, "serve", "--listen", f"127.0.0.1:{free_port()}", "--source", "synthetic", "--synthetic",
                   "idle=50,max=180", "--interval", "1s", "--push-interval", "1s", "--node-name", NODE,
                   "--push-influx", f"http://{victoria.base}/api/v2/write?org=lab&bucket=power",
                   "--push-file", str(work / "rows.jsonl")]
        if otlp:
            command += ["--push-otlp", f"http://{victoria.base}/opentelemetry/v1/metrics"]
        agent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: agent.poll() is not None or
                     len(victoria.samples("powertrace_energy_joules_total", scope="node")) >= 6, "nothing arrives")
            if agent.poll() == 3:
                skip(agent.stderr.read().strip())
            if agent.poll() is not None:
                sys.exit(f"FAILED: the agent ended with {agent.returncode}: {agent.stderr.read()}")
            agent.send_signal(signal.SIGTERM)
            check(agent.wait(20) == 0, f"the agent ended with {agent.returncode}: {agent.stderr.read()}")
            joules, watts = (own_samples(work, "node", value) for value in ("joules_total", "watts"))
            labels = {"scope": "node", "node": NODE}
            compare(victoria, "powertrace_energy_joules_total", labels, joules, "Influx, energy")
            compare(victoria, "powertrace_energy_watts", labels, watts, "Influx, power")
            if otlp:
                labels = {"host.name": NODE, "service.name": "powertrace"}
                compare(victoria, "hw.energy", labels, joules, "OTLP, hw.energy")
                compare(victoria, "hw.power", labels, watts, "OTLP, hw.power")
            else:
                print("not checked: OTLP, which this VictoriaMetrics does not know (long/victoria does)")
        finally:
            for process in (agent, victoria.process):
                if process.poll() is None:
                    process.terminate()
                    process.wait(20)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
