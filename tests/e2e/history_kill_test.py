#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of an agent that keeps a history: what the open minute held is lost, nothing counts twice."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from checks import check, free_port, summary

POWERTRACE = os.environ["POWERTRACE"]


class Agent:
    """An invented node, which needs no privilege."""

    def __init__(self, history, seed):
        self.port = free_port()
        self.process = subprocess.Popen([POWERTRACE, "serve", "--demo", "heavy", "--demo-seed", str(seed), "--listen",
                                         f"127.0.0.1:{self.port}", "--history", history], stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.joules()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("the agent does not answer")

    def joules(self):
        """What it has counted since it began."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            page = answer.read().decode()
        return sum(float(value) for value in re.findall(r'powertrace_node_joules_total\{[^}]*in_total="true"[^}]*\} (\S+)', page))


def history_of(path):
    done = subprocess.run([POWERTRACE, "cost", "--history", path, "--by", "node", "--last", "1h", "--json"], capture_output=True,
                          text=True, check=True)
    return json.loads(done.stdout)["total"]["joules"]


def until_second(second):
    time.sleep((second - time.time() % 60) % 60)


def main():
    with tempfile.TemporaryDirectory() as work:
        path = str(pathlib.Path(work) / "history.db")
        if time.time() % 60 > 40:
            until_second(5)  # the first minute should hold something
        first = Agent(path, 1)
        until_second(59)
        before = first.joules()
        until_second(12)  # a minute is over and written, the next one is open
        at_kill = first.joules()
        first.process.kill()
        first.process.wait()
        kept = history_of(path)
        check(kept >= before - 1e-6, f"{kept} J of {before} J before the minute's end are left")
        check(kept <= at_kill + 1e-6, f"{kept} J are more than the {at_kill} J that there were")
        second = Agent(path, 2)
        time.sleep(3)
        check(abs(history_of(path) - kept) < 1e-6, "a restart alone changes the history")
        until_second(5)
        last = second.joules()
        second.process.terminate()
        check(second.process.wait(20) == 0, "the agent did not end well")
        total = history_of(path)
        watts = last / 60
        check(kept + last - 1e-6 <= total <= kept + last + 5 * watts + 100, f"{total} J are not {kept} J + {last} J")
        print(f"{at_kill:.1f} J at the kill, {kept:.1f} J kept, {at_kill - kept:.1f} J lost; then {last:.1f} J more, together {total:.1f} J")
    sys.exit(summary())


main()
