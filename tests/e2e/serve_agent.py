# SPDX-License-Identifier: Apache-2.0
"""What the tests of `powertrace serve` share: an agent that runs, and the pages it gives."""
import atexit
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from checks import check, skip

POWERTRACE = os.environ["POWERTRACE"]
WORK = pathlib.Path(tempfile.mkdtemp(prefix="powertrace-serve-"))
WORK.chmod(0o755)
atexit.register(shutil.rmtree, WORK, ignore_errors=True)
BINARY = WORK / "powertrace"  # where an unprivileged user can run it
shutil.copy(POWERTRACE, BINARY)
BINARY.chmod(0o755)
SYNTHETIC = ["--source", "synthetic", "--synthetic", "idle=20,max=100"]


class Agent:
    """A running agent; a port of its own. Ends with the test."""

    def __init__(self, *args, prefix=(), config=None):
        command = [*prefix, str(BINARY), *SYNTHETIC, *(["--config", str(config)] if config else []),
                   "serve", "--listen", "127.0.0.1:0", *args]
        self.log = open(WORK / f"log-{time.monotonic_ns()}", "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        atexit.register(self.stop)
        line = self.process.stdout.readline()
        found = re.match(r"listening on (https?://\S+/)$", line)
        if not found:
            code = self.process.wait(10)
            text = self.messages()
            if code == 3:
                skip(text.strip())
            raise RuntimeError(f"the agent did not start: exit {code}: {text}")
        self.url = found.group(1)
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def messages(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    def stop(self, with_signal=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(20)

    def get(self, path, headers=None, context=None, method="GET", data=None):
        """(status, headers, body); errors are answers too."""
        request = urllib.request.Request(self.url + path, headers=headers or {}, method=method, data=data)
        try:
            with urllib.request.urlopen(request, timeout=20, context=context) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def wait_ready(self):
        for _ in range(100):
            if self.get("readyz")[0] == 200:
                return self
            time.sleep(0.1)
        raise RuntimeError("the agent is not ready: " + self.messages())

    def metrics(self, **headers):
        status, _, body = self.get("metrics", headers=headers)
        check(status == 200, f"/metrics: {status}")
        return body.decode()


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"(?:,|$)')


def parse(text):
    """{(name, ((label, value), ...)): value}, strictly."""
    samples = {}
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        if not found:
            check(False, f"not a sample: {line!r}")
            continue
        name, labels, value = found.groups()
        inside = (labels or "{}")[1:-1]
        pairs = LABEL.findall(inside)
        check(sum(len(k) + len(v) + 4 for k, v in pairs) in (len(inside), len(inside) + 1),
              f"labels of {line!r}")
        key = (name, tuple(sorted(pairs)))
        check(key not in samples, f"twice: {key}")
        samples[key] = float(value)
    return samples


def select(samples, name, **labels):
    return {key: value for key, value in samples.items()
            if key[0] == name and labels.items() <= dict(key[1]).items()}
