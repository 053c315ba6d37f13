#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Energy by function: two functions of a known ratio, however the program was built, and exports that add up."""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile

from checks import check, summary
from recordings import FORMATS, folded_energy, pprof_energy, run

SOURCE = pathlib.Path(__file__).with_name("stacks.cpp")
TURNS = "30"
NEAR = 0.05
WORK = "work"  # without external linkage DWARF has no longer name
COSTLY, CHEAP = "known::costly()", "known::cheap()"


def functions(path):
    data = json.loads(run("report", str(path), "--by", "symbol", "--json").stdout)
    rows = sum(round(row["joules"] * 1e9) for row in data["rows"])
    check("functions add up to all energy", rows == round(data["total"]["joules"] * 1e9), rows)
    return {(row["function"], row["module"]): row for row in data["rows"]}


def test_exports(tmp, path):
    total = json.loads(run("report", str(path), "--json").stdout)["total"]["joules"]
    out = {}
    for name in FORMATS:
        out[name] = tmp / f"out.{name}"
        done = run("export", str(path), "--format", name, "-o", str(out[name]))
        check(f"export {name}", done.returncode == 0, done.stderr)
        second = run("export", str(path), "--format", name)
        check(f"{name} is the same twice", second.stdout == out[name].read_bytes())
    micro = int(total * 1e6 + 1e-4)
    folded = folded_energy(out["folded"])
    check("folded adds up", folded == micro, (folded, micro))
    scope = json.loads(out["speedscope"].read_text())["profiles"][0]
    check("speedscope adds up", sum(scope["weights"]) == scope["endValue"] == micro)
    energy, strings = pprof_energy(out["pprof"])
    check("pprof adds up", energy == micro, (energy, micro))
    check("pprof has a default and labels", {"energy", "microjoules", "pid", "comm", "cgroup", COSTLY} <= set(strings))
    check("pprof's strings begin with the empty one", strings[0] == "")
    check_firefox(json.loads(out["firefox"].read_text()), total)
    events = json.loads(out["chrome"].read_text())["traceEvents"]
    check("chrome has counters and slices", {"M", "C", "X"} <= {event["ph"] for event in events})
    device = tmp / "null"
    os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    run("export", str(path), "--format", "folded", "-o", str(device))
    check("a device is written to, not replaced", stat.S_ISCHR(device.stat().st_mode))
    link = tmp / "link"
    link.symlink_to(out["folded"])
    out["folded"].write_text("old")
    run("export", str(path), "--format", "folded", "-o", str(link))
    check("what a link leads to is replaced", link.is_symlink() and folded_energy(out["folded"]) == folded)
    if shutil.which("go"):
        top = subprocess.run(["go", "tool", "pprof", "-top", str(out["pprof"])], capture_output=True, check=False)
        check("pprof's own reader", b"Type: energy" in top.stdout, top.stderr)


def check_firefox(profile, total):
    check("firefox: version 57", profile["meta"]["preprocessedProfileVersion"] == 57)
    packages = [c for c in profile["counters"] if c["pid"] == "0" and ("package" in c["name"] or "dram" in c["name"])]
    pwh = sum(sum(counter["samples"]["count"]) for counter in packages)
    check("firefox: counters add up in pWh", abs(pwh - total * 1e12 / 3600) <= len(packages), (pwh, total))
    for counter in profile["counters"]:
        samples = counter["samples"]
        check("firefox: counter columns", len(samples["time"]) == len(samples["count"]) == samples["length"])
        check("firefox: a counter's thread", profile["threads"][counter["mainThreadIndex"]]["pid"] == counter["pid"])
    for thread in profile["threads"]:
        for table in ("samples", "stackTable", "frameTable", "funcTable"):
            for name, column in thread[table].items():
                if isinstance(column, list):
                    check(f"firefox: {table}.{name}", len(column) == thread[table]["length"])
        strings = profile["shared"]["stringArray"]
        check("firefox: names", all(name < len(strings) for name in thread["funcTable"]["name"]))


def address_ranges(program):
    """Of the two functions, in the file: a PIE's addresses of code are its offsets here."""
    lines = subprocess.run(["nm", "-S", "-C", str(program)], capture_output=True, text=True, check=True).stdout.splitlines()
    symbols = {line.split()[3]: line.split() for line in lines if len(line.split()) == 4}
    return {name: (int(symbols[name][0], 16), int(symbols[name][1], 16)) for name in (COSTLY, CHEAP)}


def test_ratio(compiler, tmp, build, flags):
    program, path = tmp / build, tmp / f"{build}.data"
    subprocess.run([compiler, "-O2", "-fno-omit-frame-pointer", *flags, "-o", str(program), str(SOURCE)], check=True)
    ranges = address_ranges(program)
    if build == "stripped":
        subprocess.run(["strip", str(program)], check=True)
    done = run("record", "-g", "-F", "997", "--slices", "-o", str(path), "--", str(program), TURNS)
    check(f"{build}: recorded", done.returncode == 0, done.stderr)
    took = [int(ns) for ns in done.stdout.split()]
    rows = functions(path)
    if build == "stripped":
        energy = dict.fromkeys(ranges, 0.0)
        for (name, module), row in rows.items():
            at = int(name.split("+0x")[1], 16) if module == build and "+0x" in name else -1
            for function, (start, size) in ranges.items():
                energy[function] += row["joules"] if start <= at < start + size else 0
    else:
        energy = {f: rows.get((f, build), {"total_joules": 0})["total_joules"] for f in ranges}
        check(f"{build}: everything has a name", not any(name.startswith(f"{build}+0x") for name, _ in rows), list(rows)[:9])
    ratio = energy[COSTLY] / max(energy[CHEAP], 1e-9)
    print(f"{build}: energy {ratio:.3f}, CPU time {took[0] / took[1]:.3f}")
    check(f"{build}: energy by function", abs(ratio / (took[0] / took[1]) - 1) < NEAR, (energy, took))
    if "-g" in flags:
        inlined = rows.get((WORK, build), {"total_joules": 0})["total_joules"]
        check(f"{build}: the inlined function has its own energy",
              abs(inlined / sum(energy.values()) - 1) < NEAR, (inlined, energy))


def main():
    if run("doctor").returncode == 3:
        print("skipped: powertrace cannot work here")
        return 77
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        print("skipped: no C++ compiler")
        return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        flags = {"pie": ["-g", "-pie"], "plain": ["-g", "-no-pie"], "symbols": ["-pie"], "stripped": ["-pie"]}
        for build in flags:
            test_ratio(compiler, tmp, build, flags[build])
        test_exports(tmp, tmp / "pie.data")
        done = run("diff", str(tmp / "pie.data"), str(tmp / "plain.data"), "--json")
        check("diff", "rows" in json.loads(done.stdout), done.stderr)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
