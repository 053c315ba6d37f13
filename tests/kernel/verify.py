#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judge what powertrace printed in a guest. Prints TAP lines, as the guest itself does.

usage: verify.py OUT_DIR CASE,...

OUT_DIR is the guest's /out. Cases without a function here were judged in the guest.
"""
import glob
import json
import pathlib
import sys

import snapshots as s

RESULTS = []


def check(good, text, detail=""):
    RESULTS.append(good)
    print(f"{'ok' if good else 'not ok'} - {text}")
    if not good and detail:
        print(f"#   {detail}")


def near(got, wanted, percent, text):
    error = (got / wanted - 1) * 100 if wanted else float("inf")
    check(abs(error) <= percent, f"{text} within {percent} %", f"got {got}, wanted {wanted}: {error:+.2f} %")
    print(f"# {text}: {error:+.3f} %")


def pt_account(out, facts):
    trace = s.load(f"{out}/account.json")
    hog = s.cpu_seconds(trace, cgroup="/hog")
    near(hog, facts["pt_account.hog"] / 1e6, 1, "run time of a hog agrees with cpu.stat")
    storm = s.cpu_seconds(trace, cgroup="/storm")
    children = facts["pt_account.children"]
    near(storm, facts["pt_account.storm"] / 1e6, 1, f"run time of {children} forks agrees with cpu.stat")


def pt_fifo(out, facts):
    trace = s.load(f"{out}/fifo.json")
    shares = [s.cpu_seconds([one], pid=facts["pt_fifo.pid"]) / one["duration_s"] for one in trace]
    there = [index for index, share in enumerate(shares) if share > 0]
    check(len(there) >= 15, "a task that never switches is seen", f"in {len(there)} windows of {len(trace)}")
    # Not the windows in which it began and ended.
    inside = list(range(there[0] + 1, there[-1]))
    found = [round(shares[index], 3) for index in inside]
    check(min(found) > 0.25, "it is in every window", f"{found}")
    # An emulated edge is late by up to a time slice of the host, so one window may lend to the next.
    # Between two edges that were in time it must come out even.
    while inside and abs(shares[inside[0]] - 1) > 0.05:
        inside.pop(0)
    while inside and abs(shares[inside[-1]] - 1) > 0.05:
        inside.pop()
    check(len(inside) >= 10, "most of its windows end in time", f"{found}")
    seconds = [trace[index]["duration_s"] for index in inside]
    ran = sum(shares[index] * second for index, second in zip(inside, seconds))
    near(ran, sum(seconds), 2, "its run time over all of them")


def pt_hotplug(out, facts):
    trace = s.load(f"{out}/hotplug.json")
    near(s.cpu_seconds(trace, cgroup="/plug"), facts["pt_hotplug.usec"] / 1e6, 1, "run time across hotplug")
    late = s.load(f"{out}/late.json")
    near(s.cpu_seconds(late, cgroup="/late"), facts["pt_hotplug.late"] / 1e6, 1, "run time on a CPU that came later")


def pt_cgroups(out, facts):
    for mount in ("v1", "hybrid", "v2"):
        trace = s.load(f"{out}/{mount}.json")
        ran = facts[f"pt_cgroups.{mount}"] / 1e6
        near(s.cpu_seconds(trace, cgroup="/work"), ran, 1, f"run time of a cgroup on {mount}")


def perf_counts(path):
    """What `perf stat -x,` wrote, as event: count; nothing if the guest had no perf."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    fields = [line.split(",") for line in lines if "," in line]
    return {field[2].split(":")[0]: int(field[0]) for field in fields}


def pt_counters(out, facts):
    for name, percent in (("always", 2), ("budget", 5)):
        trace = s.load(f"{out}/{name}.json")
        rows = s.rows_where(trace, pid=facts[f"pt_counters.{name}"])
        seconds = sum(row["cpu_seconds"] for row in rows)
        counted = s.rows_where(trace[facts[f"pt_counters.{name}.from"] :], pid=facts[f"pt_counters.{name}"])
        perf = perf_counts(pathlib.Path(out, f"{name}.perf"))
        for event, speed in (("cycles", 2e9), ("instructions", 3e9)):
            near(sum(row[event] or 0 for row in rows), seconds * speed, percent, f"{name}: {event} of a task")
            if perf:
                got = sum(row[event] or 0 for row in counted)
                near(got, perf[event], percent, f"{name}: {event} of a process, by perf stat -p")
        check(all(one["model"] == "cycles" for one in trace), f"{name}: the model is cycles")


def pt_arm_counters(out, _):
    trace = s.load(f"{out}/arm_counters.json")
    rows = s.rows_where(trace, comm="spin")
    check(len(rows) > 0, "the hog has rows")
    seconds = sum(row["cpu_seconds"] for row in rows)
    near(sum(row["cycles"] or 0 for row in rows), seconds * 1e9, 10, "cycles of a task at 1 GHz")
    check(all(row["instructions"] is None for row in rows), "no instructions without a counter")
    check(all(one["model"] == "cycles" for one in trace), "the model is cycles")


def pt_no_counters(out, _):
    trace = s.load(f"{out}/no_counters.json")
    check(all(one["model"] == "time" for one in trace), "the model is time")
    check(all(row["cycles"] is None for one in trace for row in one["rows"]), "cycles are null")
    check(not trace[0]["source"]["measured"], "without RAPL the energy is labelled an estimate")


def pt_fallback(out, facts):
    trace = s.load(f"{out}/raw.json")
    near(s.cpu_seconds(trace, cgroup="/raw"), facts["pt_fallback.usec"] / 1e6, 1, "run time by raw tracepoints")


def pt_record(out, _):
    report = s.load(f"{out}/functions")[0]
    rows = {(row["module"], row["function"]): row for row in report["rows"]}
    seconds = rows["spin", "main"]["cpu_seconds"]
    check(1.4 < seconds < 2.1, "samples put a hog's time into its function", f"{seconds} s of 2 s")
    total = sum(s.nano(row["joules"]) for row in report["rows"])
    wanted = s.nano(report["total"]["joules"])
    check(total == wanted, "functions add up to the total, exactly", f"{total} nJ, wanted {wanted} nJ")


def pt_cap(out, _):
    effect = {row["workload"]: row for row in json.loads(pathlib.Path(out, "effect").read_text(encoding="utf-8"))["effect"]}["spin"]
    near(effect["free"]["ghz"], 2.0, 2, "speed while free")
    # The frequency follows the limit by a moment.
    check(1.15 < effect["capped"]["ghz"] < 1.5, "speed while capped", effect)
    check(0.2 < (effect["slower"] or 0) < 0.45, "slower by as much", effect)


def predicted(trace, powers, source):
    # In the first window the zones' first readings may be a time slice of the host apart.
    trace = trace[1:]
    seconds = s.duration(trace)
    check(trace[0]["source"]["name"] == source, f"the source is {source}", trace[0]["source"])
    check(trace[0]["source"]["measured"], f"{source} is labelled measured")
    for zone, watts in powers.items():
        near(s.zone_joules(trace, zone), watts * seconds, 1, f"{source}: {zone} over {seconds:.1f} s")


def pt_rapl(out, _):
    powers = {"package-0": 400, "core-0": 300, "uncore-0": 200, "dram-0": 100, "psys": 800}
    trace = s.load(f"{out}/powercap.json")
    counted = {zone["zone"]: zone["in_total"] for zone in trace[0]["zones"]}
    check(set(counted) == set(powers), "every zone is read, by its name", str(sorted(counted)))
    predicted(trace, powers, "powercap")
    total = {name for name, in_total in counted.items() if in_total}
    check(total == {"package-0", "dram-0"}, "the total is package and dram", str(total))
    predicted(s.load(f"{out}/perf.json"), {"package-0": 400, "core-0": 300, "dram-0": 100}, "perf")


def pt_faults(out, _):
    trace = s.load(f"{out}/faults.json")
    statuses = [{zone["zone"]: zone["status"] for zone in one["zones"]} for one in trace]
    check(any(status["dram-0"] == "unreadable" for status in statuses), "a failing zone is marked", str(statuses))
    check(statuses[-1]["dram-0"] == "gone", "one that went away too", str(statuses))
    check(all(status["package-0"] == "ok" for status in statuses), "the others are not", str(statuses))
    near(s.zone_joules(trace, "package-0"), 20 * s.duration(trace), 1, "the package's energy goes on")
    healed = [index for index, status in enumerate(statuses) if status["dram-0"] == "ok"]
    check(len(healed) >= 3 and healed[-1] > 4, "a healed zone is read again", str(statuses))


def pt_sockets(out, facts):
    trace = s.load(f"{out}/sockets.json")
    for zone in ("package-0", "package-1"):
        near(s.zone_joules(trace, zone), 20 * s.duration(trace), 1, f"energy of {zone}")
    hog = sum(row["joules"] for row in s.rows_where(trace, pid=facts["pt_sockets.pid"]))
    share = hog / s.duration(trace)
    check(0 < share < 23 * 1.01, "a task on one socket gets energy of that socket only", f"{share} W of 46 W")


def pt_dies(out, _):
    trace = s.load(f"{out}/dies.json")
    zones = {zone["zone"]: zone["in_total"] for zone in trace[0]["zones"]}
    check(
        zones == {"package-0-die-0": True, "package-0-die-1": True},
        "each die is a zone of its own in the total",
        str(zones),
    )
    for zone in zones:
        near(s.zone_joules(trace, zone), 30 * s.duration(trace), 1, f"energy of {zone}, through its wrap")


def conservation(out):
    """For every snapshot of every trace, whatever the case was about."""
    traces = {path: s.load(path) for path in sorted(glob.glob(f"{out}/*.json"))}
    for test, text in ((s.total_is_exact, "rows add up to the zones"), (s.parts_are_exact, "by kind too")):
        wrong = []
        for path, trace in traces.items():
            for index, snapshot in enumerate(trace):
                good, detail = test(snapshot)
                if not good:
                    wrong.append(f"{path} #{index}: {detail}")
        count = sum(len(trace) for trace in traces.values())
        check(not wrong and count > 0, f"{text}, exactly, in {count} snapshots", "; ".join(wrong[:3]))


def main(out, cases):
    facts = s.facts(out) if glob.glob(f"{out}/facts") else {}
    for case in cases.split(","):
        judge = globals().get(case) if case.startswith("pt_") else None
        if judge:
            try:
                judge(out, facts)
            except (OSError, LookupError, TypeError, ValueError, StopIteration) as error:
                check(False, f"{case} left what is needed to judge it", f"{type(error).__name__}: {error}")
    if glob.glob(f"{out}/*.json"):
        try:
            conservation(out)
        except (LookupError, TypeError, ValueError) as error:
            check(False, "every snapshot is whole", f"{type(error).__name__}: {error}")
    print(f"1..{len(RESULTS)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
