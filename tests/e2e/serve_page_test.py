#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web page in a real browser: it fills itself in, on a wide screen and on a phone.

POWERTRACE_SCREENSHOTS is a directory to leave pictures in, for people to look at.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from checks import check, skip, summary, until
from serve_agent import WORK, Agent, parse, select

QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars"]


def browse(url, width, *args):
    profile = WORK / f"browser-{width}-{time.monotonic_ns()}"
    done = subprocess.run(
        ["chromium", *QUIET, f"--user-data-dir={profile}", f"--window-size={width},1200", "--virtual-time-budget=4000", *args,
         url], capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == 0, f"chromium: {done.stderr[-500:]}")
    return done.stdout


def text_of(page, element):
    found = re.search(rf'id="{element}"[^>]*>([^<]*)<', page)
    return found.group(1) if found else ""


def main():
    if os.geteuid() != 0:
        skip("needs root")
    if not shutil.which("chromium"):
        skip("no chromium: install Debian's package")
    pictures = os.environ.get("POWERTRACE_SCREENSHOTS")
    agent = Agent("--node-name", "<b>node</b>").wait_ready()
    snapshots = 35 if pictures else 2
    until(lambda: sum(select(parse(agent.metrics()), "powertrace_snapshots_total").values()) >= snapshots, 60)
    page = browse(agent.url, 1200, "--dump-dom")
    check(re.fullmatch(r"[0-9.]+", text_of(page, "total")), f"total: {text_of(page, 'total')!r}")
    check(text_of(page, "idle") == "20.0 W", f"idle: {text_of(page, 'idle')!r}")
    check("Estimate, not measured" in text_of(page, "source"), "the page must say that it is an estimate")
    check(text_of(page, "node") == "&lt;b&gt;node&lt;/b&gt;", f"the name is text: {text_of(page, 'node')!r}")
    check("package-0" in page and "[others]" in page and "[kernel]" in page, "tables")
    check("powertrace itself: " in page, "own cost")
    check(re.search(r'id="trouble"[^>]*hidden', page), "trouble: " + text_of(page, "trouble"))
    if pictures:
        for width in (1200, 390):
            browse(agent.url, width, f"--screenshot={pathlib.Path(pictures) / f'page-{width}.png'}")
    check(agent.stop() == 0, "exit")
    sys.exit(summary())


main()
