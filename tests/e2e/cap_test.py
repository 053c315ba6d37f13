#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The power limiter on a copy of sysfs: what it opens, what it writes, and that all is put back."""
import datetime
import json
import math
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

from checks import check, summary

POWERTRACE = os.environ["POWERTRACE"]
SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
KILLER = os.environ["KILL_AT_SYSCALL"]
STRIDE = int(os.environ.get("KILL_STRIDE", "1"))  # after every one, or after every Nth system call
FLOOR_UW, CEILING_UW = 102_500_000, 205_000_000  # per package: half of the design power, and all


class Tree:
    """Two packages, psys and the second interface, in ordinary files."""

    def __init__(self, root):
        self.root = pathlib.Path(root) / "sys"
        self.run = pathlib.Path(root) / "run"
        for number in (0, 1):
            self.zone(f"intel-rapl:{number}", f"package-{number}", {"long_term": 205_000_000, "short_term": 255_000_000})
        self.zone("intel-rapl:2", "psys", {"long_term": 500_000_000})
        self.zone("intel-rapl:0:0", "core", {"long_term": 100_000_000})
        self.zone("intel-rapl-mmio:0", "package-0", {"long_term": 205_000_000})
        self.before = self.content()

    def zone(self, directory, name, constraints):
        path = self.root / "class/powercap" / directory
        path.mkdir(parents=True)
        files = {"name": name, "enabled": 1, "energy_uj": 1_000_000, "max_energy_range_uj": 262_143_328_850}
        for i, (constraint, limit) in enumerate(constraints.items()):
            files |= {f"constraint_{i}_name": constraint, f"constraint_{i}_power_limit_uw": limit,
                      f"constraint_{i}_max_power_uw": limit if i == 0 else 0,
                      f"constraint_{i}_time_window_us": 27_983_872}
        for file, value in files.items():
            (path / file).write_text(f"{value}\n")

    def content(self):
        return {str(path): path.read_bytes() for path in sorted(self.root.rglob("*")) if path.is_file()}

    def changed(self):
        now = self.content()
        return {path: now.get(path) for path in self.before if now.get(path) != self.before[path]}

    def limits(self, number):
        zone = self.root / f"class/powercap/intel-rapl:{number}"
        return [(zone / f"constraint_{i}_power_limit_uw").read_text() for i in (0, 1)]

    def command(self, *arguments):
        return [POWERTRACE, "cap", *arguments, "--sysfs", str(self.root), "--state-dir", str(self.run)]

    def enforce(self, *arguments):
        return self.command("enforce", "--write", "--enabled", *arguments)


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


SCHEDULE = ["--policy", "schedule", "--schedule", "60%", "--slew", "1000", "--short-term", "--tick", "1ms"]


def killed_after_each_system_call(root):
    """Whatever the instant of a SIGKILL: afterwards the limits are in order, and restore puts all back."""
    number = killed = 0
    while True:
        number += STRIDE
        tree = Tree(root / f"kill-{number}")
        killer = run([KILLER, "powercap.lock", str(number), *tree.enforce(*SCHEDULE, "--no-guardian", "--count", "2")])
        for package in (0, 1):
            limits = [int(text) if text.strip() else None for text in tree.limits(package)]
            if None not in limits:
                check(limits[0] <= limits[1], f"PL1 <= PL2 when killed after call {number}", str(limits))
        if killer.returncode == 1:
            check(not tree.changed(), "it ended by itself", str(tree.changed()))
            break
        killed += 1
        restored = run(tree.command("restore"))
        check(restored.returncode == 0 and not tree.changed(), f"restore after call {number}",
              f"{restored.stderr} {tree.changed()}")
        check(not (tree.run / "powercap-state.json").exists(), f"nothing is left after call {number}")
        again = run(tree.command("restore"))
        check(again.returncode == 0 and not tree.changed(), "restoring again does nothing")
        shutil.rmtree(root / f"kill-{number}")
    check(number > 60, "the write sequence has many system calls", str(number))
    print(f"killed after {killed} of {number - 1} system calls")


def guardian_restores(root):
    for number in range(5, 200, 13):
        tree = Tree(root / f"guardian-{number}")
        killer = run([KILLER, "powercap.lock", str(number), *tree.enforce(*SCHEDULE, "--count", "2")])
        if killer.returncode == 1:
            break
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (tree.changed() or (tree.run / "powercap-state.json").exists()):
            time.sleep(0.01)
        check(not tree.changed(), f"the guardian restores after call {number}", str(tree.changed()))


def observe_opens_nothing_for_writing(root):
    if shutil.which("strace") is None:
        print("skipped: strace is not installed")
        return
    tree = Tree(root / "observe")
    trace = root / "observe.strace"
    done = run(["strace", "-f", "-e", "trace=open,openat,openat2,creat,truncate,unlink,rename,mkdir", "-o", str(trace),
                *tree.command("observe", *SCHEDULE, "--count", "5")])
    lines = [line for line in trace.read_text().splitlines() if f'"{tree.root}' in line]
    check(done.returncode == 0 and len(lines) > 10, "observe reads the limits", done.stderr)
    check(not [line for line in lines if re.search("O_WRONLY|O_RDWR|O_CREAT", line)], "observe opens nothing for writing")
    check(all(re.search(r"\bopenat\(", line) for line in lines), "observe opens and lists only")
    check(not tree.changed(), "observe changes nothing")


def wall(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def day_of_prices(root, date, slots):
    """A day of quarters through enforce, 43 s at each tick, with a trace of every write."""
    tree = Tree(root / f"replay-{date}")
    market = root / f"market-{date}"
    start = {"2026-03-29": "2026-03-28T23:00:00+00:00", "2026-06-01": "2026-05-31T22:00:00+00:00"}[date]
    begin = datetime.datetime.fromisoformat(start)
    rows = ["start,end,price,unit"]
    for i in range(slots):
        times = [(begin + datetime.timedelta(minutes=15 * (i + j))).strftime("%Y-%m-%dT%H:%M:%SZ") for j in (0, 1)]
        rows.append(f"{times[0]},{times[1]},{80 + 60 * math.sin(i * 2.3):.2f},EUR/MWh")
    (root / "prices.csv").write_text("\n".join(rows) + "\n")
    imported = run([POWERTRACE, "market", "import", str(root / "prices.csv"), "--area", "FR", "--market-dir", str(market)])
    check(imported.returncode == 0, "prices are taken", imported.stderr)
    trace = root / "replay.strace"
    command = tree.enforce("--area", "FR", "--market-dir", str(market), "--replay", date, "--speed", "43200", "--tick", "1ms",
                           "--json", "--short-term", "--count", str(int((slots * 900 + 3600) / 43.2)))
    if shutil.which("strace"):
        command = ["strace", "-e", "trace=openat,write", "-o", str(trace), *command]
    done = run(command)
    check(done.returncode == 0, "the day ends well", done.stderr)
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    check(len(steps) > slots // 2, "limits moved", str(len(steps)))
    check(all(205 <= step["applied_watts"] <= 410 for step in steps), "floor and ceiling")
    check(min(step["applied_watts"] for step in steps) < 220, "the floor was reached")
    target_since = None
    for before, after in zip(steps, steps[1:]):
        passed = wall(after["time"]) - wall(before["time"])
        if after["phase"] == "released":
            continue
        check(abs(after["applied_watts"] - before["applied_watts"]) <= 10 * (passed + 1.001) + 0.01, "slew",
              f"{before} {after}")
        if after["target_watts"] != before["target_watts"]:
            if target_since is not None:
                check(wall(after["time"]) - target_since >= 59, "dwell", f"{before} {after}")
            target_since = wall(after["time"])
    check(steps[-1]["phase"] == "released", "without data the limits are lifted", str(steps[-1]))
    check(not tree.changed() and not (tree.run / "powercap-state.json").exists(), "all is put back", str(tree.changed()))
    if shutil.which("strace"):
        check_writes(trace.read_text())
    last_quarter(tree, market, begin.timestamp() + slots * 900)


def last_quarter(tree, market, end):
    """23:40 to 24:00."""
    start = datetime.datetime.fromtimestamp(end - 1200, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = run(tree.enforce("--area", "FR", "--market-dir", str(market), "--replay", start, "--speed", "10000", "--tick", "1ms",
                            "--json", "--count", "119"))
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    before = {step["decision_watts"] for step in steps if wall(step["time"]) < end - 900}
    last = {step["decision_watts"] for step in steps if end - 900 <= wall(step["time"]) < end and step["phase"] == "following"}
    check(last and last != before, "the last quarter of the day has its own limit", f"{before} {last} {done.stderr}")
    check(not tree.changed(), "it is put back too")


def check_writes(trace):
    """The limits after every single write, from what the system calls say."""
    limits = {(package, constraint): value for package in (0, 1) for constraint, value in ((0, 205_000_000), (1, 255_000_000))}
    target, writes = None, 0
    for line in trace.splitlines():
        opened = re.search(r'openat\([^"]*"([^"]*/class/powercap/[^"]*)".*O_WRONLY', line)
        if opened:
            target = re.search(r"/intel-rapl:([01])/constraint_([01])_power_limit_uw$", opened[1])
            check(target is not None, "only limits of packages are opened for writing", line)
            continue
        written = re.search(r'write\(\d+, "(\d+)\\n"', line)
        if target and written:
            limits[int(target[1]), int(target[2])] = int(written[1])
            writes += 1
            for package in (0, 1):
                check(limits[package, 0] <= limits[package, 1], "PL1 <= PL2 at every instant", line)
                check(FLOOR_UW - 125_000 <= limits[package, 0] <= CEILING_UW, "floor and ceiling of every write", line)
            target = None
    check(writes > 100, "writes were seen", str(writes))
    print(f"{writes} writes traced")


def ends_by_signals(root):
    for signal, code in (("TERM", 0), ("HUP", 0), ("INT", 130)):
        tree = Tree(root / f"signal-{signal}")
        # With a thread beside the loop, which must leave the signal alone; without a guardian to hide that.
        process = subprocess.Popen(tree.enforce(*SCHEDULE, "--no-guardian", "--listen", "127.0.0.1:0"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while not tree.changed() and time.monotonic() < deadline:
            time.sleep(0.01)
        check(bool(tree.changed()), "limits are in force")
        second = run(tree.enforce(*SCHEDULE, "--count", "1"))
        check(second.returncode == 1 and "holds" in second.stderr, "a second writer is refused", second.stderr)
        process.send_signal(getattr(__import__("signal"), f"SIG{signal}"))
        process.communicate(timeout=10)
        check(process.returncode == code, f"exit code after SIG{signal}", str(process.returncode))
        check(not tree.changed(), f"restored after SIG{signal}", str(tree.changed()))


def own_namespace(root):
    """As in a pod, where the controller is process 1: preStop ends it, from within its namespace."""
    tree = Tree(root / "namespace")
    inside = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *tree.enforce(*SCHEDULE, "--no-guardian")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 10
    while not tree.changed() and inside.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if inside.poll() is not None:
        print(f"skipped: no PID namespaces here: {inside.stderr.read()}")
        return
    first = pathlib.Path(f"/proc/{inside.pid}/task/{inside.pid}/children").read_text().split()[0]
    check(bool(tree.changed()), "limits are in force")
    check((tree.run / "powercap.lock").read_text() == "1\n", "it is process 1")
    stopped = run(["nsenter", "-t", first, "-p", "-m", *tree.command("restore", "--stop")])
    inside.wait(10)
    check(not tree.changed() and inside.returncode == 0, "restored by preStop", f"{stopped} {inside.returncode}")
    # On the machine itself, where the number in the lock is the right one.
    process = subprocess.Popen(tree.enforce(*SCHEDULE), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not tree.changed() and time.monotonic() < deadline:
        time.sleep(0.01)
    stopped = run(tree.command("restore", "--stop"))
    check(stopped.returncode == 0 and process.wait(10) == 0 and not tree.changed(), "restored by --stop", str(stopped))
    again = run(tree.command("restore", "--stop"))
    check(again.returncode == 0, "--stop without a controller", str(again))


def node_annotations(root):
    """Kept by a stand-in for the API server, in both vocabularies; the limit goes on without it."""
    for names in ("powertrace", "rapl"):
        work = root / f"annotations-{names}"
        work.mkdir()
        (work / "token").write_text("secret")
        kube = subprocess.Popen([SUPPORT / "fake_kube.py", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url = f"https://127.0.0.1:{int(kube.stdout.readline())}"
        context = ssl.create_default_context(cafile=str(work / "ca.crt"))

        def told():
            with urllib.request.urlopen(url + "/control", context=context, timeout=5) as answer:
                return json.load(answer)

        tree = Tree(work)
        market = work / "market"
        hour = int(time.time()) // 3600 * 3600
        times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(hour + i * 3600)) for i in range(3)]
        (work / "prices.csv").write_text("start,end,price,unit\n" + "".join(
            f"{times[i]},{times[i + 1]},90,EUR/MWh\n" for i in (0, 1)))
        run([POWERTRACE, "market", "import", str(work / "prices.csv"), "--area", "FR", "--market-dir", str(market)])
        process = subprocess.Popen(tree.enforce("--policy", "price-threshold", "--low", "80EUR/MWh", "--area", "FR", "--tz", "UTC",
                                                "--market-dir", str(market), "--slew", "1000", "--node-annotations", "node-1",
                                                "--annotation-names", names, "--api-server", url, "--token-file",
                                                str(work / "token"), "--ca-file", str(work / "ca.crt")),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while told()["patches"] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        during = told()["annotations"]
        process.terminate()
        errors = process.communicate(timeout=15)[1]
        after = told()["annotations"]
        if names == "powertrace":
            check(during.get("powertrace.io/power-policy") == "price-threshold"
                  and during["powertrace.io/power-mode"] == "enforce" and during["powertrace.io/power-original-watts"] == "410.0", "annotations",
                  f"{during} {errors}")
            check(after["powertrace.io/power-phase"] == "released"
                  and after["powertrace.io/power-limit-watts"] == "410.0", "the last word", str(after))
        else:
            period = time.strftime("%H:%M-", time.gmtime(hour)) + (time.strftime("%H:%M", time.gmtime(hour + 3600)).replace("00:00", "24:00"))
            check(set(during) == {
                "rapl/pmax", "rapl/max_power_uw", "rapl/provider", "rapl/last-update", "rapl/market-period", "rapl/market-price",
                "power-manager/initialized"} and during["rapl/market-price"] == "90.00"
                and during["rapl/max_power_uw"] == "410000000" and during["rapl/market-period"] == period, "older annotations", f"{during} {errors}")
            check(after["rapl/pmax"] == "410000000", "the older last word", str(after))
        check(process.returncode == 0 and not tree.changed(), "annotations: exit and limits")
        kube.stdin.close()
        kube.wait(10)
    # Nobody answers: a warning, and the limit holds.
    process = subprocess.Popen(tree.enforce(*SCHEDULE, "--node-annotations", "node-1", "--api-server", url, "--token-file",
                                            str(work / "token"), "--ca-file", str(work / "ca.crt")),
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 10
    while not tree.changed() and time.monotonic() < deadline:
        time.sleep(0.01)
    check(bool(tree.changed()), "limits without an API server")
    process.terminate()
    errors = process.communicate(timeout=15)[1]
    check(process.returncode == 0 and "annotations" in errors and "secret" not in errors and not tree.changed(), "no API server", errors)


def bad_input(root):
    tree = Tree(root / "bad")
    schedule = ["--policy", "schedule", "--schedule", "100%"]
    public = root / "token"
    public.write_text("s3cret\n")
    public.chmod(0o644)
    market = ["--market-dir", str(root / "empty")]
    for command, code, text in (
            (tree.enforce(*schedule, "--floor", "90%", "--ceiling", "60%"), 2, "above the ceiling"),
            (tree.enforce(*schedule, "--floor", "10%"), 2, "--i-know"),
            (tree.enforce(*schedule, "--ceiling", "500W"), 2, "above the 410 W"),
            (tree.enforce(*schedule, "--floor", "many"), 2, "--floor"),
            (tree.enforce("--policy", "price-rank", *market), 1, "needs a price"),
            (tree.enforce("--policy", "price-threshold", *market), 2, "--low"),
            (tree.enforce("--policy", "greedy"), 2, "not a policy"),
            (tree.command("enforce", *schedule), 2, "--write"),
            (tree.command("observe", *schedule, "--tick", "0s"), 2, "--tick"),
            ([POWERTRACE, "market", "fetch", "--area", "XX", *market], 2, "XX"),
            ([POWERTRACE, "market", "fetch", "--provider", "epex", *market], 2, "epex"),
            ([POWERTRACE, "market", "fetch", "--provider", "entsoe", "--area", "FR", "--token-file", str(public), *market], 2,
             "chmod 600"),
            ([POWERTRACE, "market", "show", "--date", "2199-01-01", *market], 1, "not published"),
            ([POWERTRACE, "market", "import", "/dev/zero", "--format", "time-csv", "--area", "FR", *market], 1, "larger"),
            ([POWERTRACE, "market", "import", str(public), "--area", "FR", *market], 2, "format"),
    ):
        done = run(command)
        check(done.returncode == code and text in done.stderr, f"{command[1:5]}", f"{done.returncode} {done.stderr}")
        check("s3cret" not in done.stderr + done.stdout, "no secret is shown")
    check(not tree.changed(), "nothing was written")
    check(run(tree.command("restore")).returncode == 0, "restore without anything to restore")
    status = run(tree.command("status"))
    check(status.returncode == 1 and "there is no" in status.stderr, "status without a controller", status.stderr)


def main():
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        observe_opens_nothing_for_writing(root)
        bad_input(root)
        ends_by_signals(root)
        own_namespace(root)
        node_annotations(root)
        day_of_prices(root, "2026-06-01", 96)
        day_of_prices(root, "2026-03-29", 92)
        guardian_restores(root)
        killed_after_each_system_call(root)
    return summary()


sys.exit(main())
