#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One line per test run from ctest's JUnit files, and why tests were skipped or failed.

usage: tools/test_summary.py build/PRESET/junit.xml...
Exit status 1 if a file is missing: a run that left no result is no success.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def reason(case):
    """The line in which a test says that it is skipped, else its last one."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
    said = [line for line in lines if "skip" in line.lower()]
    return (said or lines or ["gave no reason"])[-1]


def main():
    missing = False
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        run = path.parent.name
        if not path.exists():
            print(f"{run}: no result")
            missing = True
            continue
        cases = list(xml.parse(path).getroot().iter("testcase"))
        by_status = {"run": [], "fail": [], "notrun": []}
        for case in cases:
            by_status.setdefault(case.get("status"), []).append(case)
        for case in by_status["notrun"]:
            print(f"skipped: {run}: {case.get('name')}: {reason(case)}")
        for case in by_status["fail"]:
            print(f"failed: {run}: {case.get('name')}")
        print(f"{run}: {len(by_status['run'])} passed, {len(by_status['fail'])} failed, "
              f"{len(by_status['notrun'])} skipped of {len(cases)} tests")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
