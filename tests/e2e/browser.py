# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, told what to do over its debugging pipe."""
import base64
import fcntl
import json
import os
import subprocess
import time

QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars"]


class Browser:
    """One page, in a with block. `profile` is a fresh directory."""

    def __init__(self, profile, width=1200, height=1200):
        commands, self.out = os.pipe()
        self.answers, answers = os.pipe()

        def place():
            # Chromium reads commands at 3 and answers at 4, where these may be in each other's way.
            kept = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (commands, answers)]
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self.process = subprocess.Popen(
            ["chromium", *QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}", f"--window-size={width},{height}"],
            close_fds=False, preexec_fn=place, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.buffer, self.number, self.session = b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.buffer:
                self.buffer += os.read(self.answers, 1 << 20)
            text, self.buffer = self.buffer.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, url):
        self.call("Page.navigate", url=url)

    def value(self, script):
        return self.call("Runtime.evaluate", expression=script)["result"].get("value")

    def wait(self, script, seconds=20):
        """The value of `script` once it is true, else the last one."""
        end = time.monotonic() + seconds
        while True:
            found = self.value(script)
            if found or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))
