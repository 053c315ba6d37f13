#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The collector on a real Prometheus, filled with counters whose energy is known.

Six hours of two nodes in each of the three schemas, with an agent that restarts in the middle. Every
answer is compared with what was put in.
"""
import http.server
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from browser import Browser
from checks import check, free_port, near, summary, until
from collector_lab import (END, EVIL, HOURS, IDLE, NODE, OTHERS, POWERTRACE, RATES, START, Server, collector, get,
                           get_raw, iso, prometheus, write_metrics)


def check_cost(command_source, base, what):
    day = {"start": iso(START), "end": iso(END)}
    status, found, _ = get(base, "/api/v1/cost/hourly", **day)
    check(status == 200, f"{what}: /cost/hourly {status} {found}")
    expected_kwh = 2 * NODE * HOURS / 1000
    near(found["total"]["it_energy_kwh"], expected_kwh, f"{what}: energy of both nodes")
    near(found["total"]["cost"], expected_kwh * 1.3 * (0.12 + 0.4 * 0.05), f"{what}: cost")
    check(len(found["buckets"]) == HOURS, f"{what}: {len(found['buckets'])} buckets")
    for bucket in found["buckets"]:
        near(bucket["it_energy_kwh"], 2 * NODE / 1000, f"{what}: {bucket['start']}")
    check(abs(sum(b["cost"] for b in found["buckets"]) - found["total"]["cost"]) < 1e-9, f"{what}: buckets are not the total")

    command = [POWERTRACE, "cost", *command_source, *RATES, "--json", "--from", iso(START), "--to", iso(END)]
    rows = json.loads(subprocess.run([*command, "--by", "namespace"], capture_output=True, check=True, timeout=60).stdout)
    by_id = {row["id"]: row["it_energy_kwh"] for row in rows["rows"]}
    near(by_id["shop"], 2 * 42.5 * HOURS / 1000, f"{what}: namespace shop")
    near(by_id[EVIL], 2 * 2.0 * HOURS / 1000, f"{what}: namespace with a hostile name")
    near(by_id["[idle]"], 2 * IDLE * HOURS / 1000, f"{what}: [idle]")
    near(by_id["[others]"], 2 * OTHERS * HOURS / 1000, f"{what}: [others]", 0.03)
    near(rows["total"]["it_energy_kwh"], expected_kwh, f"{what}: sum of namespaces")

    for space, watts in (("lab", 45.0), (EVIL, 2.0), ("nowhere", 0.0), ('.*', 0.0), ('x"', 0.0), ("\\", 0.0)):
        status, found, _ = get(base, "/cost/hourly", namespace=space, **day)
        check(status == 200, f"{what}: namespace {space}: {status} {found}")
        near(found["total"]["it_energy_kwh"], 2 * watts * HOURS / 1000, f"{what}: only {space}")
    status, found, _ = get(base, "/api/v1/cost/workload/" + urllib.parse.quote("shop/web", safe=""), **day)
    check(status == 200, f"{what}: workload {status} {found}")
    near(found["energy_kwh"], 2 * 30 * HOURS / 1000 * 1.3, f"{what}: workload shop/web")
    parts = found["cost"]
    check(abs(parts["electricity"] + parts["facility"] + parts["carbon"] - parts["total"]) < 1e-9, f"{what}: parts of shop/web")
    status, _, _ = get(base, "/api/v1/cost/workload/" + urllib.parse.quote('no"/}such', safe=""), **day)
    check(status == 404, f"{what}: unknown workload: {status}")


def check_service(base):
    for path, query in (("/api/v1/cost/hourly", {"start": "2026-01-01T00:00:00"}),
                        ("/api/v1/cost/hourly", {"start": iso(END), "end": iso(START)}),
                        ("/api/v1/cost/hourly", {"tz": "Mars/Olympus"}), ("/api/v1/cost/hourly", {"by": "pod"}),
                        ("/api/v1/cost/current", {"by": "user"}), ("/api/v1/cost/current", {"range": "5"}),
                        ("/api/v1/cost/current", {"limit": "0"}), ("/api/v1/cost/current", {"cursor": "x"})):
        status, found, headers = get(base, path, **query)
        check(status == 400 and found["status"] == 400 and found["detail"], f"{path} {query}: {status} {found}")
        check(headers["Content-Type"].startswith("application/problem+json"), f"{path}: {headers['Content-Type']}")
    status, found, _ = get(base, "/api/v1/power/nodes", range="1h")
    check(status == 200 and isinstance(found["nodes"], list), f"power/nodes: {status}")
    fixed = {"start": iso(START), "end": iso(END)}
    _, _, headers = get(base, "/api/v1/cost/hourly", **fixed)
    status, _, _ = get(base, "/api/v1/cost/hourly", headers={"If-None-Match": headers["ETag"]}, **fixed)
    check(status == 304, f"ETag: {status}")
    for body in (b"{", b"[]", b"{}", b'{"cpu_cores":-1}', b'{"cpu_cores":1,"shoes":2}', b'{"cpu_cores":"1"}',
                 b'{"cpu_cores":1,"duty_cycle":2}', b"\xff\xfe", b"[" * 10000):
        status, found, _ = get(base, "/profile/classify", body=body)
        check(status == 422 and found["detail"], f"classify {body[:20]}: {status}")
    status, found, _ = get(base, "/profile/classify", body=b'{"cpu_cores":0.98,"run_length_ms":4,"ipc":2.2}')
    check(status == 200 and found["classification"]["workload_type"] == "cpu-bound", f"classify: {status} {found}")
    status, found, _ = get(base, "/api/v1/openapi.json")
    check(status == 200 and "/api/v1/cost/hourly" in found["paths"], f"openapi: {status}")
    for path in found["paths"]:
        if "{" not in path and "post" not in found["paths"][path]:
            check(get(base, path)[0] == 200, f"{path} is described, but not there")


def check_types(base):
    seconds = int(time.time() - START)
    _, found, _ = get(base, "/api/v1/profile/workload-types", range=f"{seconds}s", namespace="lab")
    check(len(found["profiles"]) == 2, f"two training containers: {len(found['profiles'])}")
    for profile in found["profiles"]:
        near(profile["features"]["ipc"], 2.0, "instructions per cycle")


class Garbage(http.server.BaseHTTPRequestHandler):
    """A Prometheus that answers nonsense, or not at all."""
    answer = b""
    seen = []  # what they sent as Authorization

    def do_POST(self):
        self.seen.append(self.headers["Authorization"])
        if self.answer == b"slow":
            time.sleep(4)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass


def check_broken_sources():
    port = free_port()
    with collector(f"http://127.0.0.1:{port}", "--prometheus-timeout", "1s") as broken:
        for path in ("/api/v1/cost/current", "/readyz"):
            begun = time.monotonic()
            status, found, headers = get(broken.base, path)
            check(status == 503 and found["detail"] and headers["Retry-After"], f"no Prometheus: {status}")
            check(time.monotonic() - begun < 5, "no Prometheus: the answer took too long")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Garbage)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for answer in (b"", b"<html>", b"{}", b"null", b'{"status":"success"}', b'{"status":"error","error":7}',
                       b'{"status":"success","data":{"result":[{}]}}', b'{"status":"success","data":{"result":7}}',
                       b'{"status":"success","data":{"result":[{"metric":{},"values":[[1]]}]}}', b"slow"):
            Garbage.answer = answer
            status, found, _ = get(broken.base, "/api/v1/cost/current")
            check(status in (400, 503) and found["detail"], f"garbage {answer}: {status} {found}")
        server.shutdown()
        server.server_close()


def check_victoria_metrics(directory):
    """The same data, questions and answers on the other server that speaks Prometheus' language."""
    if not shutil.which("victoria-metrics"):
        print("not checked: VictoriaMetrics, which is not installed (package victoria-metrics)")
        return
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with Server(["victoria-metrics", f"-storageDataPath={directory}/victoria", f"-httpListenAddr=127.0.0.1:{port}",
                 "-search.latencyOffset=0s", "-retentionPeriod=3y"], base + "/health"):
        samples = []
        for line in (directory / "metrics.txt").read_text().splitlines():
            if not line.startswith("#"):
                series, moment = line.rsplit(" ", 1)
                samples.append(f"{series} {moment}000\n")
        urllib.request.urlopen(base + "/api/v1/import/prometheus", data="".join(samples).encode(), timeout=60).close()
        urllib.request.urlopen(base + "/internal/force_flush", timeout=60).close()
        with collector(base) as service:
            check_cost(["--prometheus", base], service.base, "VictoriaMetrics")
            check_types(service.base)
        check_long_range(base)


def certificate(directory):
    """Its own authority; good for 127.0.0.1."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "server.key",
                    "-out", directory / "server.crt"], check=True, capture_output=True)
    (directory / "web.yml").write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")


def check_tls(directory):
    """TLS on both sides: a Prometheus that speaks nothing else, and a collector that does, with a token."""
    certificate(directory)
    context = ssl.create_default_context(cafile=str(directory / "server.crt"))
    port = free_port()
    source, ca = f"https://127.0.0.1:{port}", str(directory / "server.crt")
    day = {"start": iso(START), "end": iso(END)}
    with prometheus(directory, port, f"--web.config.file={directory}/web.yml", context=context):
        with collector(source) as trusting_nobody:
            status, found, _ = get(trusting_nobody.base, "/api/v1/cost/current")
            check(status == 503 and "certificate" in found["detail"], f"unknown authority: {status} {found}")
        token = directory / "token"
        token.write_text("s3cret\n")
        with collector(source, "--prometheus-ca-file", ca, "--web.config-file", str(directory / "web.yml"), "--token-file",
                       str(token), context=context) as service:
            check(get(service.base, "/cost/hourly", context=context, **day)[0] == 401, "TLS: no token")
            for path in ("/cost", "/cost.js", "/cost.css", "/common.js", "/common.css", "/healthz"):
                check(get_raw(service.base + path, context)[0] == 200, f"TLS: {path} needs a token")
            status, found, _ = get(service.base, "/cost/hourly", {"Authorization": "Bearer s3cret"}, context=context, **day)
            check(status == 200, f"TLS: {status} {found}")
            near(found["total"]["it_energy_kwh"], 2 * NODE * HOURS / 1000, "TLS: energy of both nodes")
            # A new certificate is taken while it runs; a broken one is not.
            (directory / "server.crt").write_text("nonsense")
            service.process.send_signal(signal.SIGHUP)
            check(until(lambda: "stay in force" in service.messages()), "a broken certificate is told")
            check(get(service.base, "/healthz", context=context)[0] == 200, "a broken certificate ended the service")
            certificate(directory)
            service.process.send_signal(signal.SIGHUP)
            renewed = ssl.create_default_context(cafile=str(directory / "server.crt"))
            check(until(lambda: get(service.base, "/healthz", context=renewed)[0] == 200), "the new certificate is not served")


def check_bearer(directory):
    """The token of --prometheus-bearer-file is sent, read anew each time, and shown to nobody."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Garbage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Garbage.answer = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
    token = directory / "prometheus-token"
    token.write_text("first\n")
    with collector(f"http://127.0.0.1:{server.server_port}", "--prometheus-bearer-file", str(token)) as service:
        for secret in ("first", "second"):
            token.write_text(secret + "\n")
            Garbage.seen.clear()
            get(service.base, "/api/v1/cost/current")
            check(Garbage.seen and set(Garbage.seen) == {f"Bearer {secret}"}, f"bearer: {Garbage.seen}")
        token.unlink()
        status, found, _ = get(service.base, "/api/v1/cost/current")
        check(status >= 500 and "second" not in json.dumps(found), f"no token file: {status} {found}")
    server.shutdown()
    server.server_close()


def check_long_range(source):
    """Two years of hours are more points than a Prometheus gives in one answer."""
    done = subprocess.run([POWERTRACE, "cost", "--prometheus", source, *RATES, "--json", "--by", "hour", "--from",
                           iso(END - 2 * 365 * 86400), "--to", iso(END)], capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == 0, f"two years: {done.stderr}")
    found = json.loads(done.stdout)
    near(found["total"]["it_energy_kwh"], 2 * NODE * (HOURS + 0.25) / 1000, "two years: energy of both nodes")


def check_page(source, token, directory):
    """The page in a real browser: it asks for the token, says when it is wrong, and shows what there is."""
    if not shutil.which("chromium"):
        print("not checked: the page, for want of chromium")
        return
    pictures = os.environ.get("POWERTRACE_SCREENSHOTS")
    with collector(source, "--token-file", str(token)) as closed, Browser(directory / "browser") as page:
        page.open(closed.base + "/cost")
        check(page.wait("document.getElementById('login') && !document.getElementById('login').hidden"), "the page asks for no token")
        if pictures:
            page.picture(pathlib.Path(pictures) / "cost-token.png")
        enter = "document.getElementById('token').value = '%s'; document.querySelector('#login button').click()"
        page.value(enter % "wrong")
        check(page.wait("document.getElementById('trouble').textContent.includes('refuses')"), "a wrong token is taken")
        page.value(enter % "s3cret")
        check(page.wait("document.querySelectorAll('#namespaces tr th').length") >= 3, "the page shows no namespaces")
        text = page.value("document.body.innerText")
        check("EUR" in text and "kWh" in text and page.value("document.getElementById('login').hidden"), f"the page shows {text[:300]}")
        check(EVIL in text and "s3cret" not in page.value("document.documentElement.outerHTML"), "names as they are, no token in the page")
        check(page.value("sessionStorage.length") == 1 and page.value("localStorage.length") == 0 and
              page.value("document.cookie") == "", "the token is kept where it should not be")
        if pictures:
            page.picture(pathlib.Path(pictures) / "cost.png")


def main():
    for tool in ("prometheus", "promtool"):
        if subprocess.run(["which", tool], capture_output=True, check=False).returncode != 0:
            print(f"skipped: {tool} is not installed")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        for schema in ("powertrace", "kepler2", "kepler1"):
            directory = pathlib.Path(work, schema)
            directory.mkdir()
            (directory / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
            write_metrics(directory / "metrics.txt", schema)
            subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", directory / "metrics.txt",
                            directory / "data"], check=True, capture_output=True, timeout=120)
            port = free_port()
            with prometheus(directory, port), collector(f"http://127.0.0.1:{port}/") as service:
                check_cost(["--prometheus", f"http://127.0.0.1:{port}"], service.base, schema)
                if schema == "powertrace":
                    check_service(service.base)
                    check_types(service.base)
                    check_long_range(f"http://127.0.0.1:{port}")
                    token = pathlib.Path(work, "token")
                    token.write_text("s3cret\n")
                    with collector(f"http://127.0.0.1:{port}", "--token-file", str(token)) as closed:
                        check(get(closed.base, "/api/v1/cost/current")[0] == 401, "no token")
                        check(get(closed.base, "/api/v1/cost/current", {"Authorization": "Bearer s3cre"})[0] == 401, "wrong token")
                        check(get(closed.base, "/api/v1/cost/current", {"Authorization": "Bearer s3cret"})[0] == 200, "token")
                    check_page(f"http://127.0.0.1:{port}", token, pathlib.Path(work))
        check_victoria_metrics(pathlib.Path(work, "powertrace"))
        check_tls(pathlib.Path(work, "powertrace"))
        check_bearer(pathlib.Path(work))
    check_broken_sources()
    sys.exit(summary())


main()
