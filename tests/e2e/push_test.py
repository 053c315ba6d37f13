#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent pushes to real servers, and one of them restarts in the middle.

Redis, InfluxDB 1 and a Prometheus as remote-write receiver from Debian's packages, an HTTP server
of our own for OTLP, a file. What arrived is compared with the agent's own history and counters.
"""
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

from checks import check, free_port, near, summary, wait_for


POWERTRACE = os.environ["POWERTRACE"]


def fetch(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Otlp(http.server.BaseHTTPRequestHandler):
    bodies = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Otlp.bodies.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Lab:
    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.running = []
        self.ports = {name: free_port() for name in ("redis", "influx", "rpc", "prometheus", "otlp", "agent")}

    def start(self, *command):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        return process

    def redis(self):
        return self.start("redis-server", "--port", str(self.ports["redis"]), "--bind", "127.0.0.1", "--dir",
                          str(self.work), "--appendonly", "yes", "--appendfsync", "always", "--save", "")

    def influx(self):
        config = self.work / "influx.conf"
        config.write_text(f"""reporting-disabled = true
bind-address = "127.0.0.1:{self.ports['rpc']}"
[meta]
  dir = "{self.work}/influx/meta"
[data]
  dir = "{self.work}/influx/data"
  wal-dir = "{self.work}/influx/wal"
[http]
  bind-address = "127.0.0.1:{self.ports['influx']}"
  log-enabled = false
""")
        return self.start("influxd", "run", "-config", str(config))

    def prometheus(self):
        config = self.work / "prometheus.yml"
        config.write_text("global: {scrape_interval: 15s}\n")
        return self.start("prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.work}/prometheus",
                          f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
                          "--web.enable-remote-write-receiver", "--log.level=error")

    def redis_cli(self, *command):
        done = subprocess.run(["redis-cli", "-p", str(self.ports["redis"]), "--json", *command], capture_output=True,
                              text=True, timeout=10, check=True)
        return json.loads(done.stdout)

    def influx_query(self, query):
        url = f"http://127.0.0.1:{self.ports['influx']}/query?" + urllib.parse.urlencode({"db": "power", "q": query})
        series = json.loads(fetch(url))["results"][0].get("series", [])
        return series

    def prometheus_query(self, query):
        url = f"http://127.0.0.1:{self.ports['prometheus']}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        return json.loads(fetch(url))["data"]["result"]

    def stop(self):
        for process in reversed(self.running):
            process.kill()
            process.wait()


def agent(lab):
    ports = lab.ports
    command = [POWERTRACE, "serve", "--listen", f"127.0.0.1:{ports['agent']}", "--source", "synthetic", "--synthetic",
               "idle=50,max=180", "--interval", "1s", "--push-interval", "1s", "--node-name", "n 1,x",
               "--history", str(lab.work / "history.db"), "--price", "0.12EUR/kWh",
               "--push-redis", f"redis://127.0.0.1:{ports['redis']}",
               "--push-influx", f"http://127.0.0.1:{ports['influx']}?db=power",
               "--push-remote-write", f"http://127.0.0.1:{ports['prometheus']}",
               "--push-otlp", f"http://127.0.0.1:{ports['otlp']}", "--push-file", str(lab.work / "rows.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lab.running.append(process)
    wait_for(lambda: process.poll() is not None or figure(lab, "powertrace_snapshots_total") > 0, "the agent does not start")
    if process.poll() == 3:
        print(f"skipped, because {process.stderr.read().strip()}")
        lab.stop()
        sys.exit(77)
    return process


def node_joules(rows):
    return sum(row["joules"] for row in rows if row["scope"] == "node")


def compare(lab):
    rows = [json.loads(line) for line in (lab.work / "rows.jsonl").read_text().splitlines()]
    batches = {row["end"] for row in rows}
    check(len(batches) >= 6, f"{len(batches)} batches in the file")
    for end in batches:
        parts = [row for row in rows if row["end"] == end]
        near(sum(r["joules"] for r in parts if r["scope"] == "container"), node_joules(parts), f"rows of {end}", 1e-9)
    expected = node_joules(rows)
    history = subprocess.run([POWERTRACE, "cost", "--history", lab.work / "history.db", "--by", "cgroup", "--last", "1h",
                              "--json"], capture_output=True, check=True, timeout=20).stdout
    near(json.loads(history)["total"]["joules"], expected, "the history", 0.05)

    stream = lab.redis_cli("XRANGE", "powertrace:samples", "-", "+")
    entries = [dict(zip(fields[::2], fields[1::2])) for _, fields in stream]
    ends = [entry["t1_ms"] for entry in entries if entry["scope"] == "node" and entry["zone"] == "package"]
    check(len(ends) == len(set(ends)), "Redis has a batch twice")
    redis = sum(int(entry["nj"]) for entry in entries if entry["scope"] == "node") / 1e9
    near(redis, expected, "Redis, restarted in the middle", 1e-6)
    check(lab.redis_cli("EXISTS", "powertrace:latest:n 1,x:node:package") == 1, "no latest hash in Redis")

    influx = lab.influx_query("SELECT sum(joules) FROM powertrace_energy WHERE scope='node'")
    near(influx[0]["values"][0][1], expected, "InfluxDB", 1e-6)
    nodes = lab.influx_query('SHOW TAG VALUES FROM powertrace_energy WITH KEY = "node"')
    check(nodes[0]["values"] == [["node", "n 1,x"]], f"InfluxDB knows {nodes}")

    counter = lab.prometheus_query("sum(powertrace_node_joules_total)")
    last = max(rows, key=lambda row: row["end"])["end"]
    total = sum(r["joules_total"] for r in rows if r["scope"] == "node" and r["end"] == last)
    near(float(counter[0]["value"][1]), total, "the counter by remote-write", 1e-6)

    check(len(Otlp.bodies) >= 6, f"{len(Otlp.bodies)} OTLP requests")
    path, kind, body = Otlp.bodies[-1]
    check(path == "/v1/metrics" and kind == "application/x-protobuf" and b"hw.energy" in body, f"OTLP {path} {kind}")


def figure(lab, name):
    """The value of a metric of the agent; labels are part of the name."""
    page = fetch(f"http://127.0.0.1:{lab.ports['agent']}/metrics")
    return float(next(line.rsplit(" ", 1)[1] for line in page.splitlines() if line.startswith(name)))


def check_full_redis(lab):
    """A Redis that takes nothing more: it shows, nobody waits, and nothing is lost once there is room."""
    sink = '{sink="redis'
    lab.redis_cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
    lab.redis_cli("CONFIG", "SET", "maxmemory", "1")
    failed, snapshots = figure(lab, "powertrace_push_failures_total" + sink), figure(lab, "powertrace_snapshots_total")
    wait_for(lambda: figure(lab, "powertrace_push_failures_total" + sink) > failed, "a full Redis is not among the failures")
    wait_for(lambda: figure(lab, "powertrace_push_queued_batches" + sink) >= 3, "batches for a full Redis do not wait")
    wait_for(lambda: figure(lab, "powertrace_snapshots_total") - snapshots >= 4, "the agent waits for a full Redis")
    lab.redis_cli("CONFIG", "SET", "maxmemory", "0")
    wait_for(lambda: figure(lab, "powertrace_push_queued_batches" + sink) <= 1, "the queue does not empty once there is room")
    check(figure(lab, "powertrace_push_dropped_batches_total" + sink) == 0, "batches were dropped while there was room in the queue")


def main():
    for tool in ("redis-server", "influxd", "prometheus"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        lab = Lab(work)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", lab.ports["otlp"]), Otlp)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            redis = lab.redis()
            lab.influx()
            lab.prometheus()
            wait_for(lambda: lab.redis_cli("PING") == "PONG", "Redis does not start")
            wait_for(lambda: lab.influx_query("CREATE DATABASE power") == [], "InfluxDB does not start")
            wait_for(lambda: fetch(f"http://127.0.0.1:{lab.ports['prometheus']}/-/ready"), "Prometheus does not start")
            process = agent(lab)
            wait_for(lambda: lab.redis_cli("XLEN", "powertrace:samples") > 8, "nothing arrives in Redis")
            redis.terminate()
            redis.wait(10)
            wait_for(lambda: figure(lab, 'powertrace_push_failures_total{sink="redis') > 0, "the failure is not among the metrics")
            wait_for(lambda: figure(lab, 'powertrace_push_queued_batches{sink="redis') >= 2, "batches do not wait for Redis")
            lab.redis()
            wait_for(lambda: lab.redis_cli("PING") == "PONG", "Redis does not start again")
            wait_for(lambda: figure(lab, 'powertrace_push_queued_batches{sink="redis') == 0, "the queue does not empty")
            check_full_redis(lab)
            process.send_signal(signal.SIGTERM)
            check(process.wait(20) == 0, f"the agent ended with {process.returncode}: {process.stderr.read()}")
            compare(lab)
        finally:
            server.shutdown()
            lab.stop()
    sys.exit(summary())


if __name__ == "__main__":
    main()
