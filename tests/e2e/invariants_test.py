#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What powertrace prints must add up: with every policy, at every level, on the real kernel.

Energy comes from the synthetic source and from a fake RAPL tree in which a counter wraps, a zone
vanishes and another cannot be read while powertrace runs.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

from checks import check, summary

POWERTRACE = os.environ["POWERTRACE"]
LEVELS = ["process", "thread", "comm", "cgroup", "container", "pod", "vm"]
POLICIES = ["separate", "proportional", "even", "none"]


def top(*args, count=2):
    command = [POWERTRACE, *args, "--json", "--count", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode == 3:
        print(f"skipped, because {done.stderr.strip()}")
        sys.exit(77)
    check(done.returncode == 0, f"{' '.join(args)}: exit {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_sums(snapshot, what):
    rows = snapshot["rows"]
    total = snapshot["total"]["joules"]
    check(abs(sum(row["joules"] for row in rows) - total) < 1e-7, f"{what}: rows are not the total")
    counted = sum(z["joules"] for z in snapshot["zones"] if z["in_total"])
    check(abs(counted - total) < 1e-7, f"{what}: zones are not the total")
    parts = snapshot["total"]
    check(abs(parts["attributed"] + parts["idle"] + parts["unattributed"] - total) < 1e-7,
          f"{what}: attributed + idle + unattributed is not the total")
    for kind in {zone["kind"] for zone in snapshot["zones"]}:
        zone = sum(z["joules"] for z in snapshot["zones"] if z["kind"] == kind)
        in_rows = sum(row["zones"][kind] for row in rows)
        check(abs(zone - in_rows) < 1e-7, f"{what}: {kind} is {zone} J, its rows {in_rows} J")
    check(all(row["joules"] >= 0 for row in rows), f"{what}: a row is negative")
    ids = [(row["kind"], row["id"]) for row in rows]
    check(len(ids) == len(set(ids)), f"{what}: a row is there twice")


class Load:
    """Two busy processes and a shell that forks."""

    def __enter__(self):
        commands = [["sh", "-c", "while :; do :; done"]] * 2
        commands.append(["sh", "-c", "while :; do /bin/true; done"])
        self.processes = [subprocess.Popen(c, start_new_session=True) for c in commands]
        return self

    def __exit__(self, *_):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class FakeRapl(threading.Thread):
    """/sys with two sockets: 20 W and 30 W, dram 2 W, core and psys beside the total."""
    RANGE = 262_143_328_850  # as Intel servers have it
    ZONES = {"intel-rapl:0": ("package-0", 20e6), "intel-rapl:0:0": ("core", 12e6),
             "intel-rapl:0:1": ("dram", 2e6), "intel-rapl:1": ("package-1", 30e6),
             "intel-rapl:1:0": ("dram", 2e6), "intel-rapl:2": ("psys", 70e6)}

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root = pathlib.Path(root)
        self.base = self.root / "class/powercap"
        for zone, (name, _) in self.ZONES.items():
            (self.base / zone).mkdir(parents=True)
            (self.base / zone / "name").write_text(name + "\n")
            (self.base / zone / "max_energy_range_uj").write_text(f"{self.RANGE}\n")
        (self.base / "intel-rapl").mkdir()
        (self.root / "devices/system").mkdir(parents=True)
        (self.root / "devices/system/cpu").symlink_to("/sys/devices/system/cpu")
        (self.root / "fs").symlink_to("/sys/fs")
        self.begin = time.monotonic()
        self.stopped = False
        self.gone = set()
        self.write()

    def write(self):
        for zone, (_, microwatts) in self.ZONES.items():
            if zone not in self.gone:
                # package-0 wraps after 1.5 s, package-1 after 1 s.
                energy = int(microwatts * (time.monotonic() - self.begin) + self.RANGE - 30e6)
                with open(self.base / zone / "energy_uj", "r+" if self.written else "w") as file:
                    file.write(f"{energy % self.RANGE:<12}\n")

    @property
    def written(self):
        return (self.base / "intel-rapl:2/energy_uj").exists()

    def run(self):
        while not self.stopped:
            self.write()
            time.sleep(0.005)

    def vanish(self, zone):
        self.gone.add(zone)
        for file in (self.base / zone).iterdir():
            file.unlink()

    def make_unreadable(self, zone):
        self.gone.add(zone)
        (self.base / zone / "energy_uj").unlink()
        (self.base / zone / "energy_uj").mkdir()


def check_levels_and_policies():
    for level in LEVELS:
        for policy in POLICIES if level == "process" else POLICIES[:1]:
            snapshots = top("top", "--by", level, "--idle", policy, "--idle-watts", "2",
                            "--interval", "300ms", "--window", "50ms")
            for snapshot in snapshots:
                what = f"--by {level} --idle {policy}"
                check(snapshot["schema"] == "powertrace.snapshot/1", f"{what}: schema")
                check(snapshot["source"]["measured"] is False, f"{what}: an estimate is measured")
                check(snapshot["idle_policy"] == policy, f"{what}: policy")
                check_sums(snapshot, what)
                if policy == "separate":
                    check(snapshot["total"]["idle"] > 0, f"{what}: known idle power is nowhere")


def check_fake_rapl():
    with tempfile.TemporaryDirectory() as root:
        rapl = FakeRapl(root)
        rapl.start()
        threading.Timer(2.3, rapl.vanish, ["intel-rapl:1:0"]).start()
        threading.Timer(2.3, rapl.make_unreadable, ["intel-rapl:0:1"]).start()
        snapshots = top("--sysfs", root, "--source", "powercap", "top", "--interval", "1s",
                        count=4)
        rapl.stopped = True
        rapl.join()
    check(len(snapshots) == 4, "fake RAPL: not four intervals")
    for snapshot in snapshots:
        check_sums(snapshot, "fake RAPL")
        check(snapshot["source"]["measured"], "fake RAPL: not measured")
        zones = {zone["zone"]: zone for zone in snapshot["zones"]}
        in_total = {name for name, zone in zones.items() if zone["in_total"]}
        check(in_total == {"package-0", "package-1", "dram-0", "dram-1"}, f"in total: {in_total}")
        for name, watts in (("package-0", 20), ("package-1", 30)):
            seen = zones[name]["watts"]
            check(abs(seen - watts) < 0.1 * watts, f"fake RAPL: {name} is {seen} W, not {watts}")
    last = {zone["zone"]: zone for zone in snapshots[-1]["zones"]}
    check(last["dram-1"]["status"] == "gone", f"vanished zone: {last['dram-1']}")
    check(last["dram-0"]["status"] == "unreadable", f"unreadable zone: {last['dram-0']}")


def check_twins():
    """A process and one that does the same work in 30 ms children: the same energy."""
    spin = ("import time\n"
            "def spin(s):\n"
            "    end = time.process_time() + s\n"
            "    while time.process_time() < end: pass\n")
    forking = spin + ("import os\n"
                      "for _ in range(40):\n"
                      "    pid = os.fork()\n"
                      "    if pid == 0:\n"
                      "        spin(0.03); os._exit(0)\n"
                      "    os.waitpid(pid, 0)\n")
    watcher = subprocess.Popen([POWERTRACE, "top", "--by", "process", "--json", "--interval", "1s"],
                               stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    single = subprocess.Popen([sys.executable, "-c", spin + "spin(1.2)"])
    parent = subprocess.Popen([sys.executable, "-c", forking])
    children = [single, parent]
    for child in children:
        child.wait()
    time.sleep(1.5)
    watcher.send_signal(signal.SIGINT)
    output, _ = watcher.communicate(timeout=20)
    check(watcher.returncode == 130, f"SIGINT: exit {watcher.returncode}")
    joules = {"single": 0.0, "forking": 0.0}
    seconds = dict(joules)
    for line in output.splitlines():
        now = {"single": [0.0, 0.0], "forking": [0.0, 0.0]}
        for row in json.loads(line)["rows"]:
            if row["kind"] == "process" and row["comm"].startswith("python"):
                kind = "single" if row["pid"] == single.pid else "forking"
                if kind == "single" or row["pid"] != os.getpid():
                    now[kind][0] += row["joules"]
                    now[kind][1] += row["cpu_seconds"]
        # What a CPU second costs depends on what else runs: only intervals in which both do.
        if min(now["single"][1], now["forking"][1]) > 0.1:
            for kind, (used, ran) in now.items():
                joules[kind] += used
                seconds[kind] += ran
    print(f"twins: {joules} J, {seconds} CPU seconds")
    check(seconds["single"] > 0.3, "twins: they were never seen together")
    if seconds["single"] > 0.3:
        ratio = (joules["forking"] / seconds["forking"]) / (joules["single"] / seconds["single"])
        check(abs(ratio - 1) < 0.10, f"twins: a CPU second costs {ratio} times as much with forks")


def check_kill():
    watcher = subprocess.Popen([POWERTRACE, "top", "--json"], stdout=subprocess.DEVNULL)
    time.sleep(1)
    watcher.kill()
    watcher.wait()
    pinned = list(pathlib.Path("/sys/fs/bpf").glob("**/*powertrace*"))
    check(not pinned, f"pinned BPF objects are left: {pinned}")


def main():
    with Load():
        check_levels_and_policies()
        check_fake_rapl()
    check_twins()
    check_kill()
    sys.exit(summary())


main()
