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
    check(rows == round(data["total"]["joules"] * 1e9), "functions add up to all energy", rows)
    return {(row["function"], row["module"]): row for row in data["rows"]}


def test_exports(tmp, path):
    total = json.loads(run("report", str(path), "--json").stdout)["total"]["joules"]
    out = {}
    for name in FORMATS:
        out[name] = tmp / f"out.{name}"
        done = run("export", str(path), "--format", name, "-o", str(out[name]))
        check(done.returncode == 0, f"export {name}", done.stderr)
        second = run("export", str(path), "--format", name)
        check(second.stdout == out[name].read_bytes(), f"{name} is the same twice")
    micro = int(total * 1e6 + 1e-4)
    folded = folded_energy(out["folded"])
    check(folded == micro, "folded adds up", (folded, micro))
    scope = json.loads(out["speedscope"].read_text())["profiles"][0]
    check(sum(scope["weights"]) == scope["endValue"] == micro, "speedscope adds up")
    energy, strings = pprof_energy(out["pprof"])
    check(energy == micro, "pprof adds up", (energy, micro))
    check({"energy", "microjoules", "pid", "comm", "cgroup", COSTLY} <= set(strings), "pprof has a default and labels")
    check(strings[0] == "", "pprof's strings begin with the empty one")
    check_firefox(json.loads(out["firefox"].read_text()), total)
    events = json.loads(out["chrome"].read_text())["traceEvents"]
    check({"M", "C", "X"} <= {event["ph"] for event in events}, "chrome has counters and slices")
    device = tmp / "null"
    os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    run("export", str(path), "--format", "folded", "-o", str(device))
    check(stat.S_ISCHR(device.stat().st_mode), "a device is written to, not replaced")
    link = tmp / "link"
    link.symlink_to(out["folded"])
    out["folded"].write_text("old")
    run("export", str(path), "--format", "folded", "-o", str(link))
    check(link.is_symlink() and folded_energy(out["folded"]) == folded, "what a link leads to is replaced")
    if shutil.which("go"):
        top = subprocess.run(["go", "tool", "pprof", "-top", str(out["pprof"])], capture_output=True, check=False)
        check(b"Type: energy" in top.stdout, "pprof's own reader", top.stderr)


def check_firefox(profile, total):
    check(profile["meta"]["preprocessedProfileVersion"] == 57, "firefox: version 57")
    packages = [c for c in profile["counters"] if c["pid"] == "0" and ("package" in c["name"] or "dram" in c["name"])]
    pwh = sum(sum(counter["samples"]["count"]) for counter in packages)
    check(abs(pwh - total * 1e12 / 3600) <= len(packages), "firefox: counters add up in pWh", (pwh, total))
    for counter in profile["counters"]:
        samples = counter["samples"]
        check(len(samples["time"]) == len(samples["count"]) == samples["length"], "firefox: counter columns")
        check(profile["threads"][counter["mainThreadIndex"]]["pid"] == counter["pid"], "firefox: a counter's thread")
    for thread in profile["threads"]:
        for table in ("samples", "stackTable", "frameTable", "funcTable"):
            for name, column in thread[table].items():
                if isinstance(column, list):
                    check(len(column) == thread[table]["length"], f"firefox: {table}.{name}")
        strings = profile["shared"]["stringArray"]
        check(all(name < len(strings) for name in thread["funcTable"]["name"]), "firefox: names")


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
    check(done.returncode == 0, f"{build}: recorded", done.stderr)
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
        check(not any(name.startswith(f"{build}+0x") for name, _ in rows), f"{build}: everything has a name", list(rows)[:9])
    ratio = energy[COSTLY] / max(energy[CHEAP], 1e-9)
    print(f"{build}: energy {ratio:.3f}, CPU time {took[0] / took[1]:.3f}")
    check(abs(ratio / (took[0] / took[1]) - 1) < NEAR, f"{build}: energy by function", (energy, took))
    if "-g" in flags:
        inlined = rows.get((WORK, build), {"total_joules": 0})["total_joules"]
        check(abs(inlined / sum(energy.values()) - 1) < NEAR,
              f"{build}: the inlined function has its own energy", (inlined, energy))


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
        check("rows" in json.loads(done.stdout), "diff", done.stderr)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
