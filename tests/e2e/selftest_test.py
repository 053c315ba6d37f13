#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powertrace selftest on this machine: every promise is kept, or skipped for a reason."""
import json
import os
import subprocess
import sys

POWERTRACE = os.environ["POWERTRACE"]
CHECKS = ["run-time", "never-switching", "fork-storm", "twins", "cycles", "conservation", "overhead"]

if os.geteuid() != 0:
    print("skipped, because it needs root")
    sys.exit(77)
done = subprocess.run([POWERTRACE, "--source", "synthetic", "selftest", "--json"], stdout=subprocess.PIPE, timeout=120,
                      check=False)
if done.returncode == 3:
    print("skipped, because BPF is missing here")
    sys.exit(77)
result = json.loads(done.stdout)
assert result["schema"] == "powertrace.selftest/1", result
assert [check["check"] for check in result["checks"]] == CHECKS, result
failed = [check for check in result["checks"] if check["status"] == "failed"]
for check in result["checks"]:
    print(check["status"], check["check"], check["what"])
    assert check["status"] in ("ok", "skipped", "failed"), check
    assert check["what"], check
# What powertrace costs depends on what else runs here; all the others must hold on a busy machine too.
assert not [check for check in failed if check["check"] != "overhead"], failed
assert (result["status"] == "failed") == bool(failed) == (done.returncode == 1), (result["status"], done.returncode)

# Who has no right to load programs is told so; a bad load does not run.
nobody = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", POWERTRACE, "selftest"],
                        stderr=subprocess.PIPE, text=True, check=False)
assert nobody.returncode == 3 and "CAP_BPF" in nobody.stderr, nobody
bad = subprocess.run([POWERTRACE, "selftest", "--load", "nonsense"], stderr=subprocess.PIPE, text=True, check=False)
assert bad.returncode == 2 and "nonsense" in bad.stderr, bad
