# SPDX-License-Identifier: Apache-2.0
"""What tests share: checks that go on after a failure, how they end, how to wait, how to skip."""
import socket
import subprocess
import sys
import time

checks = 0
failures = []


def check(good, what, detail=""):
    global checks
    checks += 1
    if not good:
        failures.append(what)
        print(f"FAILED: {what}" + (f": {detail}" if detail != "" else ""), flush=True)
    return good


def near(value, expected, what, share=0.01):
    return check(abs(value - expected) <= share * abs(expected) + 1e-9, what, f"{value}, expected {expected}")


def summary():
    """Says how it went; the exit status."""
    print(f"{checks} checks, {len(failures)} failed")
    return 1 if failures or not checks else 0


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


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


def wait_for(question, what, seconds=30):
    return check(until(question, seconds), what)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
