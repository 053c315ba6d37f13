#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kubelet and an API server over TLS, as far as pods go, that misbehaves on command.

usage: fake_kube.py DIR
Makes its authority (DIR/ca.crt) with openssl, accepts the token in DIR/token as it is at the start,
prints its port and serves until its standard input ends. POST /control takes a JSON object of:
  pods: N          so many pods with one container each, instead of those there are
  add, delete: I   pod number I appears or goes; watchers are told
  token: TEXT      from now on only this one is accepted
  faults: [F...]   what the next requests meet: 401, 403, 410, 500, "truncate", "garbage", "close",
                   "slow", "huge", "gone-event" (a watch that ends with an ERROR event)
  cut: true        ends the watches there are
GET /control answers what was counted.
"""
import http.server
import json
import pathlib
import queue
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

NODE = "node-1"
lock = threading.RLock()
pods = {}
version = 1000
token = ""
faults = []
watches = []
count = {"list": 0, "pages": 0, "watch": 0, "kubelet": 0, "refused": 0, "patches": 0}
annotations = {}


def container_id(number):
    return f"{number:064x}"


def pod(number):
    return {
        "metadata": {
            "name": f"web-5c9f8d7b6-{number:05d}", "namespace": f"team-{number % 7}",
            "uid": f"00000000-0000-4000-8000-{number:012d}", "resourceVersion": str(version),
            "labels": {"app": "web", "pod-template-hash": "5c9f8d7b6"},
            "annotations": {"kubernetes.io/config.seen": "2026-01-01T00:00:00Z"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5c9f8d7b6",
                                 "uid": "r", "controller": True, "blockOwnerDeletion": True}],
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {"f:conditions": {}}}}] * 3,
        },
        "spec": {"nodeName": NODE, "containers": [
            {"name": "nginx", "image": "nginx:1", "env": [{"name": "SECRET", "value": "x" * 500}]}] * 2},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}] * 4,
                   "containerStatuses": [{"name": "nginx", "ready": True, "restartCount": 0,
                                          "containerID": "containerd://" + container_id(number),
                                          "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]},
    }


def tell(kind, thing):
    for watch in watches:
        watch.put({"type": kind, "object": dict(json.loads(thing), kind="Pod", apiVersion="v1")})


def control(order):
    global pods, version, token, faults
    with lock:
        version += 1
        if "pods" in order:
            pods = {i: json.dumps(pod(i)) for i in range(order["pods"])}
        if "add" in order:
            pods[order["add"]] = json.dumps(pod(order["add"]))
            tell("ADDED", pods[order["add"]])
        if "delete" in order:
            tell("DELETED", pods.pop(order["delete"]))
        if "token" in order:
            token = order["token"]
        faults.extend(order.get("faults", []))
        if order.get("cut"):
            for watch in watches:
                watch.put(None)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status, message):
        self.answer(status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
                             "message": message})

    def meet(self, fault):
        if isinstance(fault, int):
            self.refuse(fault, f"fault {fault}")
        elif fault == "garbage":
            self.answer(200, b"<html>captive portal</html>")
        elif fault == "huge":
            self.answer(200, b"[" + b"1," * 2_000_000 + b"1]")
        elif fault == "slow":
            time.sleep(3)
            self.answer(200, b"{}")
        elif fault == "truncate":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b'{"kind":"PodList","items":[')
        if fault in ("truncate", "close"):
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def list_pods(self, query):
        limit = int(query.get("limit", ["0"])[0])
        begin = int(query.get("continue", ["0"])[0])
        numbers = sorted(pods)
        end = begin + limit if limit else len(numbers)
        more = {"continue": str(end), "remainingItemCount": len(numbers) - end} if end < len(numbers) else {}
        count["pages"] += 1
        count["list"] += begin == 0
        # Kept as text: writing 5 000 pods anew for each answer would hold up everybody else.
        head = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version), **more}}
        self.answer(200, (json.dumps(head)[:-1] + ', "items": [' +
                          ",".join(pods[i] for i in numbers[begin:end]) + "]}").encode())

    def chunk(self, event):
        data = json.dumps(event).encode() + b"\n"
        half = len(data) // 2
        for part in (data[:half], data[half:]):  # events need not come whole
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()

    def watch_pods(self, query, gone):
        events = queue.Queue()
        with lock:
            count["watch"] += 1
            watches.append(events)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = time.monotonic() + float(query["timeoutSeconds"][0])
        try:
            self.chunk({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": str(version)}}})
            if gone:
                self.chunk({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired",
                                                        "message": "too old resource version"}})
                end = 0
            while time.monotonic() < end:
                try:
                    event = events.get(timeout=0.2)
                except queue.Empty:
                    continue
                if event is None:
                    break
                self.chunk(event)
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True
        with lock:
            watches.remove(events)

    def do_PATCH(self):
        """Merge patches of the node's annotations, for whoever may."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Authorization") != "Bearer " + token:
            count["refused"] += 1
            self.refuse(401, "Unauthorized")
        elif self.path != f"/api/v1/nodes/{NODE}":
            self.refuse(404, f"{self.path} not found")
        elif self.headers.get("Content-Type") != "application/merge-patch+json":
            self.refuse(415, "the body of the request was in an unknown format")
        else:
            for name, value in json.loads(body)["metadata"]["annotations"].items():
                if value is None:
                    annotations.pop(name, None)
                else:
                    annotations[name] = value
            count["patches"] += 1
            self.answer(200, {"kind": "Node", "metadata": {"name": NODE, "annotations": annotations}})

    def do_POST(self):
        control(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(200, {})

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == "/control":
            self.answer(200, dict(count, watching=len(watches), annotations=annotations))
            return
        if self.headers.get("Authorization") != "Bearer " + token:
            count["refused"] += 1
            self.refuse(401, "Unauthorized")
            return
        fault = faults.pop(0) if faults else None
        watch = "watch" in query
        if fault is not None and not (fault == "gone-event" and watch):
            self.meet(fault)
        elif url.path == "/pods":
            count["kubelet"] += 1
            self.list_pods({})
        elif url.path != "/api/v1/pods" or query.get("fieldSelector") != ["spec.nodeName=" + NODE]:
            self.refuse(404, "not found")
        elif watch:
            self.watch_pods(query, fault == "gone-event")
        else:
            self.list_pods(query)


def make_certificates(directory):
    def openssl(*arguments):
        subprocess.run(("openssl",) + arguments, check=True, capture_output=True, cwd=directory)
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    # Python 3.13 takes no authority without these.
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test ca",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", *key, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=kube")
    openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "tls.crt", "-days", "2", "-extfile", "san")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients hang up; that is part of the tests


def main():
    global token
    directory = pathlib.Path(sys.argv[1])
    token = (directory / "token").read_text().strip()
    make_certificates(directory)
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # In one piece: unbuffered, print() would write the end of the line after the port had been read.
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
