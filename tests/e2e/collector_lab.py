# SPDX-License-Identifier: Apache-2.0
"""For tests of the collector: counters of known energy in each schema, the servers, questions."""
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from checks import free_port

POWERTRACE = os.environ["POWERTRACE"]
STEP_S = 15
HOURS = 6
END = int(time.time()) // 3600 * 3600 - 3600
START = END - HOURS * 3600
RATES = ["--pue", "1.3", "--price", "0.12EUR/kWh", "--carbon", "400g/kWh", "--carbon-price", "0.05EUR/kg"]
EVIL = 'x"} or vector(1e12) or up{a="'
# Watts by namespace and pod, per node.
PODS = {("shop", "web"): 30.0, ("shop", "db"): 12.5, ("lab", "train"): 45.0, (EVIL, "p"): 2.0}
IDLE, OTHERS = 40.0, 10.5
NODE = sum(PODS.values()) + IDLE + OTHERS


def quote(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def series(schema):
    """(metric, labels, watts) of everything the schema's agent exports on one node."""
    for node in ("n1", "n2"):
        where = {"instance": f"{node}:9102"}
        if schema == "powertrace":
            yield "powertrace_node_joules", {**where, "zone": "package", "sensor": "package-0", "in_total": "true"}, NODE
            yield "powertrace_node_joules", {**where, "zone": "psys", "sensor": "psys", "in_total": "false"}, 3 * NODE
            yield "powertrace_node_idle_joules", {**where, "zone": "package"}, IDLE
            yield "powertrace_pod_joules", {**where, "pod_id": "[others]", "pod_name": "[others]", "zone": "package"}, OTHERS
        elif schema == "kepler2":
            where["node_name"] = node
            yield "kepler_node_cpu_joules", {**where, "zone": "package", "path": "/sys"}, NODE
            yield "kepler_node_cpu_joules", {**where, "zone": "core", "path": "/sys"}, NODE / 2
            yield "kepler_node_cpu_idle_joules", {**where, "zone": "package", "path": "/sys"}, IDLE
        else:
            yield "kepler_node_package_joules", {**where, "mode": "idle"}, IDLE
            yield "kepler_node_package_joules", {**where, "mode": "dynamic"}, NODE - IDLE
        for number, ((space, pod), watts) in enumerate(PODS.items()):
            uid = f"0000000{number}-aaaa-bbbb-cccc-00000000000{node[1]}"
            cid = f"{number}{node[1]}" * 32
            if schema == "powertrace":
                labels = {**where, "pod_id": uid, "pod_name": pod, "pod_namespace": space}
                yield "powertrace_pod_joules", {**labels, "zone": "package"}, watts
                yield "powertrace_pod_joules", {**labels, "zone": "core"}, watts / 2
                labels |= {"container_id": cid, "container_name": "main", "runtime": "containerd"}
                yield "powertrace_container_joules", {**labels, "zone": "package"}, watts
                yield "powertrace_container_cpu_seconds", labels, watts / 20
                yield "powertrace_container_cycles", labels, 2e9
                yield "powertrace_container_instructions", labels, 4e9
            elif schema == "kepler2":
                labels = {**where, "pod_id": uid, "state": "running", "zone": "package"}
                yield "kepler_pod_cpu_joules", {**labels, "pod_name": pod, "pod_namespace": space}, watts
                yield "kepler_container_cpu_joules", {**labels, "container_id": cid, "container_name": "main"}, watts
            else:
                labels = {**where, "container_id": cid, "container_name": "main", "container_namespace": space,
                          "pod_name": pod}
                yield "kepler_container_package_joules", {**labels, "mode": "dynamic"}, watts


def write_metrics(path, schema):
    """OpenMetrics; node n2's agent restarts after three hours, ten seconds before a scrape."""
    reset = START + 3 * 3600 - 10
    families = {}
    for metric, labels, watts in series(schema):
        families.setdefault(metric, []).append((labels, watts))
    with open(path, "w", encoding="utf-8") as out:
        for metric, members in families.items():
            out.write(f"# TYPE {metric} counter\n")
            for labels, watts in members:
                text = ",".join(f'{name}="{quote(value)}"' for name, value in labels.items())
                for moment in range(START - 900, END + 901, STEP_S):
                    since = reset if labels["instance"].startswith("n2") and moment >= reset else START - 86400
                    out.write(f"{metric}_total{{{text}}} {watts * (moment - since):.3f} {moment}\n")
        out.write("# EOF\n")


class Server:
    """A program that serves on loopback until the end of the with block."""

    def __init__(self, command, url, context=None, **options):
        self.url = url
        self.context = context
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log, **options)

    def messages(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode()

    def __enter__(self):
        for _ in range(100):
            try:
                urllib.request.urlopen(self.url, timeout=2, context=self.context).read()
                return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.poll() is not None:
                    sys.exit(f"{self.process.args[0]} ended: {self.messages()}")
                time.sleep(0.1)
        sys.exit(f"{self.process.args[0]} does not answer at {self.url}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def prometheus(directory, port, *options, context=None):
    return Server(["prometheus", *options, f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data",
                   f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=10d",
                   "--log.level=error"],
                  f"{'https' if context else 'http'}://127.0.0.1:{port}/-/ready", context)


def collector(source, *options, context=None):
    port = free_port()
    scheme = "https" if context else "http"
    server = Server([POWERTRACE, "collector", "--prometheus", source, "--listen", f"127.0.0.1:{port}", *RATES, *options],
                    f"{scheme}://127.0.0.1:{port}/healthz", context)
    server.base = f"{scheme}://127.0.0.1:{port}"
    return server


def get_raw(url, context=None, headers=None, body=None):
    request = urllib.request.Request(url, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def get(base, path, headers=None, body=None, context=None, **query):
    url = base + path + ("?" + urllib.parse.urlencode(query) if query else "")
    status, text, headers = get_raw(url, context, headers, body)
    return status, json.loads(text) if text[:1] in (b"{", b"[") else None, headers


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
