#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The node agent as its users meet it: pages, limits, security, reload, privileges."""
import gzip
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

from checks import check, skip, summary, until
from serve_agent import BINARY, SYNTHETIC, WORK, Agent, parse, select

SPIN = "while True: pass"
HOSTILE = b'"}\n\\ \xff'


def spin(comm, cgroup=None):
    """A busy process of that name."""
    code = (f"import ctypes; ctypes.CDLL(None).prctl(15, {comm!r}, 0, 0, 0)\n" + SPIN)
    process = subprocess.Popen([sys.executable, "-c", code])
    if cgroup:
        (cgroup / "cgroup.procs").write_text(str(process.pid), encoding="utf-8")
    return process


def cgroup2():
    for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields[2] == "cgroup2" and os.access(fields[1], os.W_OK):
            return pathlib.Path(fields[1])
    return None


def promtool(page):
    if not shutil.which("promtool"):
        print("no promtool: pages are checked by our own parser only")
        return
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    check(done.returncode == 0 and not done.stderr.strip() and not done.stdout.strip(),
          f"promtool: {done.stdout}{done.stderr}")


def test_pages():
    mount = cgroup2()
    name = "x" * 200
    group = mount / name if mount else None
    if group:
        group.mkdir(exist_ok=True)
    busy = [spin(HOSTILE, group), spin(b"innocent")]
    agent = Agent("--levels", "cgroup,container,pod,vm,process").wait_ready()
    try:
        until(lambda: all(word in agent.metrics() for word in ('comm="innocent"', 'comm="\\"}', name)))
        page = agent.metrics()
        samples = parse(page)
        promtool(page)
        comms = {dict(labels).get("comm") for n, labels in samples if n == "powertrace_process_cpu_seconds_total"}
        check('\\"}\\n\\\\ \N{REPLACEMENT CHARACTER}' in comms, f"the hostile comm is not there: {comms}")
        check("innocent" in comms, "the innocent comm is not there")
        if group:
            check(select(samples, "powertrace_cgroup_cpu_seconds_total", cgroup="/" + name), "no long cgroup")
        check(select(samples, "powertrace_source_info", measured="false"), "an estimate must say so")
        for zone in ("package", "dram"):
            active = sum(select(samples, "powertrace_node_active_joules_total", zone=zone).values())
            for level in ("cgroup", "container", "pod", "vm", "process"):
                parts = sum(select(samples, f"powertrace_{level}_joules_total", zone=zone).values())
                check(abs(parts - active) < 1e-6, f"{level} {zone}: {parts} J of {active} J")
        status, headers, body = agent.get("metrics", {"Accept-Encoding": "gzip",
                                                     "Accept": "application/openmetrics-text"})
        check(status == 200 and headers["Content-Encoding"] == "gzip", "no gzip")
        check(headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"), "no OpenMetrics")
        text = gzip.decompress(body).decode()
        check(text.endswith("# EOF\n"), "OpenMetrics without an end")
        check("powertrace_process_joules_created{" in text, "OpenMetrics without _created")
        test_terminated(agent, busy[1])
        test_api(agent)
        test_bad_requests(agent)
    finally:
        for process in busy:
            process.kill()
            process.wait()
        if group:
            time.sleep(0.2)
            group.rmdir()
    check(agent.stop() == 0, "SIGTERM is how a service ends: exit 0")


def test_terminated(agent, process):
    """Two who look see the same, and one who looks changes nothing for the other."""
    process.kill()
    process.wait()

    def terminated():
        return select(parse(agent.metrics()), "kepler_process_cpu_joules_total", comm="innocent", state="terminated")

    until(lambda: len(terminated()) == 2)
    for _ in range(3):
        check(len(terminated()) == 2, f"terminated, per zone: {terminated()}")


def test_api(agent):
    snapshot = json.loads(agent.get("api/v1/snapshot?by=cgroup&limit=3")[2])
    check(snapshot["schema"] == "powertrace.snapshot/1" and len(snapshot["rows"]) == 3, "snapshot")
    current = json.loads(agent.get("api/v1/power/current?range=2s")[2])
    check(current["source"] == {"name": "synthetic", "measured": False,
                                "expected_error": current["source"]["expected_error"]}, "source")
    nodes = json.loads(agent.get("power/nodes")[2])["nodes"]
    check(20 <= nodes[0]["watts"] <= 130, f"node watts: {nodes}")
    status, headers, page = agent.get("")
    check(status == 200 and b"<title>powertrace</title>" in page, "the page")
    check("default-src 'none'" in headers["Content-Security-Policy"], "the page's policy")
    check(b"http://" not in page and b"https://" not in page, "the page needs nothing from elsewhere")


def raw(port, data, wait=True):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(data)
        answer = b""
        while wait:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            answer += part
        return answer


def test_bad_requests(agent):
    for path in ("nothing", "..%2f..%2fetc/passwd", "../../etc/passwd", "api/v1/snapshot?by=%zz", "metrics/"):
        status, headers, body = agent.get(path)
        check(status in (400, 404), f"{path}: {status}")
        check(headers["Content-Type"] == "application/problem+json", f"{path}: {headers['Content-Type']}")
        check(json.loads(body)["status"] == status, f"{path}: {body}")
    for method in ("POST", "DELETE", "PUT", "OPTIONS", "BREW"):
        status, headers, _ = agent.get("metrics", method=method, data=b"x" if method == "POST" else None)
        check(status == 405 and headers["Allow"] == "GET, HEAD", f"{method}: {status}")
    check(b" 200 " not in raw(agent.port, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")[:20],
          "200 kB of headers")
    check(b" 413 " in raw(agent.port, b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n")[:20],
          "10 MB of body")
    for garbage in (b"\x00" * 1000, b"GET", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n" * 500):
        raw(agent.port, garbage, wait=False)
    slow = [socket.create_connection(("127.0.0.1", agent.port)) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    begin = time.monotonic()
    check(agent.get("healthz")[0] == 200, "fifty slow clients")
    check(time.monotonic() - begin < 2, "slow clients hold up others")
    for connection in slow:
        connection.close()


def refused(code, text, *args, prefix=()):
    done = subprocess.run([*prefix, str(BINARY), *SYNTHETIC, "serve", "--listen", "127.0.0.1:0", *args],
                          capture_output=True, text=True, timeout=30, check=False)
    check(done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stderr}")
    check(text in done.stderr, f"{args}: {done.stderr}")
    check(not done.stdout, f"{args}: {done.stdout}")


def test_refusals():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(1, "another program listens there", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    refused(2, "is not ADDRESS:PORT", "--listen", "9102")
    refused(2, "no address", "--listen", "no.such.host.invalid:1")
    refused(2, "use 1s or more", "--interval", "100ms")
    refused(2, "is not a schema", "--schema", "kepler3")
    refused(2, "is not a level", "--levels", "thread")
    refused(2, "FIELD=PATTERN", "--deny", "nothing")
    refused(2, "--min-joules", "--min-joules", "-1")
    refused(2, "--max-series", "--max-series", "many")
    refused(2, "No such file", "--web.config-file", "/nonexistent")
    bad = WORK / "bad.yaml"
    bad.write_text("tls_server_config:\n  cert_file: bad.yaml\n  key_file: bad.yaml\n", encoding="utf-8")
    refused(2, "certificate and key cannot be used", "--web.config-file", str(bad))
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")
    refused(3, "CAP_BPF and CAP_PERFMON", prefix=nobody)


def test_nobody():
    """Exactly the documented capabilities, as uid 65534."""
    caps = "-all,+bpf,+perfmon"
    agent = Agent("--levels", "process", prefix=(
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", caps, "--ambient-caps", caps,
        "--bounding-set", caps, "--no-new-privs", "--")).wait_ready()
    status = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text(encoding="utf-8")
    check("CapEff:\t000000c000000000" in status, "capabilities: " + status)
    samples = parse(agent.metrics())
    check(select(samples, "powertrace_process_joules_total"), "nobody sees no processes")
    check(agent.stop() == 0, "nobody: exit")


def test_config():
    config = WORK / "config.yaml"

    def check_file(text, code, message):
        config.write_text(text, encoding="utf-8")
        done = subprocess.run([str(BINARY), "config", "check", str(config)], capture_output=True, text=True, check=False)
        check(done.returncode == code and message in done.stdout + done.stderr,
              f"config check: {text!r}: exit {done.returncode}: {done.stdout}{done.stderr}")

    check_file("serve:\n  levels: [container, process]\ntop:\n  by: pod\n", 0, "ok")
    check_file("serve:\n  levls: container\n", 2, 'did you mean "serve.levels"')
    check_file("serve:\n  interval: 10ms\n", 2, "--interval")
    check_file("top:\n  by: nothing\n", 2, "--by")
    check_file("source: nothing\n", 2, "--source")
    for command, text, message in (
            ("serve", "price: cheap", "price"), ("serve", "carbon-price: 0.05EUR/kg", "carbon"), ("serve", "history-size: 1", "--history-size"),
            ("serve", "push-redis: http://x", "redis://"), ("collector", "schema: auto", "--prometheus"),
            ("collector", "prometheus: 'http://p:9090'\n  pue: 0.5", "pue"), ("collector", "prometheus: 'http://p:9090'\n  listen: nowhere", "listen"),
            ("cost", "by: moon", "--by"), ("cap", "policy: guess", "--policy"), ("cap", "floor: cold", "--floor"),
            ("cap", "tick: 1h", "--tick"), ("cap", "policy: schedule", "schedule"), ("market", "provider: nobody", "--provider"),
            ("market", "provider: awattar\n  area: FR", "FR"), ("market", "tariff: cheap", "--tariff"), ("market", "days: -1", "--days")):
        check_file(f"{command}:\n  {text}\n", 2, message)
    check_file("collector:\n  prometheus: https://p:9090\n  price: market:FR\n  carbon-price: 80EUR/t\n"
               "cap:\n  policy: schedule\n  schedule: 100%, 60% mon-fri 17:00-20:00\n  floor: 60%\n  listen: ':9103'\n"
               "market:\n  provider: entsoe,energy-charts\n  area: FR\n  token-file: /nowhere\n", 0, "ok")
    check_file("serve: [\n", 2, "config.yaml:")
    config.write_text("serve:\n  levels: cgroup\n", encoding="utf-8")
    agent = Agent(config=config).wait_ready()
    check("powertrace_process_joules_total{" not in agent.metrics(), "levels of the file")
    config.write_text("serve:\n  levels: process\n", encoding="utf-8")
    agent.process.send_signal(signal.SIGHUP)
    until(lambda: "powertrace_process_joules_total{" in agent.metrics())
    page = agent.metrics()
    check("powertrace_process_joules_total{" in page and "powertrace_cgroup_joules" not in page, "SIGHUP")
    config.write_text("serve:\n  levels: nothing\n", encoding="utf-8")
    agent.process.send_signal(signal.SIGHUP)
    check(until(lambda: "is not a level" in agent.messages()), "a bad file is told")
    check("powertrace_process_joules_total{" in agent.metrics(), "a bad file changes nothing")
    check(agent.stop(signal.SIGINT) == 130, "SIGINT: 130")


def test_demo():
    """Without any privilege, conserving, repeatable and labelled."""
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")
    agents = [Agent("--demo", "heavy", "--demo-seed", "5", "--schema", "powertrace,kepler1", prefix=nobody).wait_ready()
              for _ in range(2)]
    pages = [parse(agent.metrics()) for agent in agents]
    for samples in pages:
        check(select(samples, "powertrace_source_info", source="demo", measured="false"), "the demo must say so")
        check(len(select(samples, "powertrace_container_cpu_seconds_total", runtime="demo")) == 4, "four containers")
        check(select(samples, "kepler_container_joules_total", container_namespace="default", mode="dynamic"), "Kepler 0.9")
        node = sum(select(samples, "powertrace_node_active_joules_total").values())
        parts = sum(select(samples, "powertrace_container_joules_total").values())
        check(abs(node - parts) < 1e-6, f"demo: {parts} J of {node} J")
    for agent in agents:
        check(agent.stop() == 0, "demo: exit")
    refused(2, "is not a profile", "--demo", "extreme")


def openssl(*args):
    subprocess.run(["openssl", *args], cwd=WORK, check=True, capture_output=True)


def certificate(name, ca=None):
    extra = ["-CA", f"{ca}.crt", "-CAkey", f"{ca}.key"] if ca else []
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            f"/CN={name}", "-addext", "subjectAltName=DNS:" + name + ",IP:127.0.0.1", "-keyout", f"{name}.key",
            "-out", f"{name}.crt", *extra)


def test_tls():
    if not shutil.which("openssl"):
        print("no openssl: TLS is not tested")
        return
    certificate("server")
    certificate("clients-ca")
    client_cert = True
    try:
        certificate("client", "clients-ca")
    except subprocess.CalledProcessError:
        client_cert = False  # an old openssl
    web = WORK / "web.yaml"
    tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
    bcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"  # of "secret"
    web.write_text(tls + f"  min_version: TLS13\nbasic_auth_users:\n  alice: {bcrypt}\n", encoding="utf-8")
    agent = Agent("--web.config-file", str(web))
    check(agent.url.startswith("https://"), "https")
    trust = ssl.create_default_context(cafile=WORK / "server.crt")
    auth = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}
    check(agent.get("healthz", context=trust)[0] == 401, "without a password")
    check(agent.get("healthz", auth, context=trust)[0] == 200, "with the password")
    old = ssl.create_default_context(cafile=WORK / "server.crt")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    check(fails(lambda: agent.get("healthz", auth, context=old)), "TLS 1.2 where 1.3 is the least")
    # A new certificate is taken up without a restart; the old one is not trusted any more.
    certificate("server")
    agent.process.send_signal(signal.SIGHUP)
    check(until(lambda: fails(lambda: agent.get("healthz", auth, context=trust))), "the certificate did not change")
    trust = ssl.create_default_context(cafile=WORK / "server.crt")
    check(agent.get("healthz", auth, context=trust)[0] == 200, "the new certificate")
    # A broken file changes nothing.
    good = (WORK / "server.crt").read_bytes()
    (WORK / "server.crt").write_text("broken", encoding="utf-8")
    agent.process.send_signal(signal.SIGHUP)
    check(until(lambda: "stay in force" in agent.messages()), "a broken certificate is told")
    check(agent.get("healthz", auth, context=trust)[0] == 200, "a broken certificate")
    (WORK / "server.crt").write_bytes(good)
    web.write_text(tls + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients-ca.crt\n",
                   encoding="utf-8")
    agent.process.send_signal(signal.SIGHUP)
    check(until(lambda: fails(lambda: agent.get("healthz", context=trust))), "without a client certificate")
    stranger = ssl.create_default_context(cafile=WORK / "server.crt")
    stranger.load_cert_chain(WORK / "server.crt", WORK / "server.key")
    check(fails(lambda: agent.get("healthz", context=stranger)), "with a stranger's certificate")
    if client_cert:
        known = ssl.create_default_context(cafile=WORK / "server.crt")
        known.load_cert_chain(WORK / "client.crt", WORK / "client.key")
        check(agent.get("healthz", context=known)[0] == 200, "with a client certificate")
    web.write_text("http_server_config:\n  http2: false\n", encoding="utf-8")
    agent.process.send_signal(signal.SIGHUP)
    check(until(lambda: "TLS cannot be switched off" in agent.messages()), "TLS stays on")
    check(fails(lambda: agent.get("healthz", context=trust)), "without a client certificate, still")
    check(agent.stop() == 0, "TLS: exit")


def fails(ask):
    try:
        ask()
    except OSError:
        return True
    return False


if os.geteuid() != 0:
    skip("needs root")
test_pages()
test_refusals()
test_nobody()
test_config()
test_demo()
test_tls()
sys.exit(summary())
