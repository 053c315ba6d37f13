# SPDX-License-Identifier: Apache-2.0
"""Checks that go on after a failure, and the count at the end; how to wait for something."""
import subprocess
import time

checks = failures = 0


def check(what, good, detail=""):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print(f"FAILED: {what}: {detail}")


def summary():
    """Says how it went; the exit status."""
    print(f"{checks} checks, {failures} failed")
    return 1 if failures else 0


def until(question, seconds=30):
    """Asks until the answer is yes, which it says, or it took too long: never wait a fixed time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if question():
                return True
        except (OSError, ValueError, subprocess.SubprocessError):
            pass  # not there yet
        time.sleep(0.1)
    return False
