#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings end to end: what is recorded is reported, exactly, and whatever happens to the file is said."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time

from checks import check, summary, until
from recordings import POWERTRACE, check_conservation, conserved, nj, report, run

STEPS = int(os.environ.get("DAMAGE_STEPS", "40"))  # places at which a recording is cut, and flipped


def test_machine(tmp):
    path = tmp / "a.data"
    load = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    done = run("record", "-o", str(path), "-d", "2500ms", "--window", "20ms")
    load.kill()
    used = os.wait4(load.pid, 0)[2]
    load.returncode = -signal.SIGKILL
    check(done.returncode == 0, "record ends after its time", done.stderr)
    check(b"recorded 2." in done.stderr, "it says what it did", done.stderr)
    check(stat.S_IMODE(path.stat().st_mode) == 0o600, "only the owner may read it")
    totals = check_conservation(path)
    data = report(path)
    hog = [row for row in data["rows"] if row["pid"] == load.pid]
    # It also ran while the recording was set up.
    ran = used.ru_utime + used.ru_stime
    check(len(hog) == 1 and 0.2 * ran < hog[0]["cpu_seconds"] < 1.02 * ran, "the load is there", (ran, hog))
    parts = [report(path, "--to", "1s"), report(path, "--from", "1s")]
    check(sum(nj(part["total"]["joules"]) for part in parts) in totals, "ranges that touch add up")
    few = report(path, "--top", "1")
    check(conserved(few) and len(few["rows"]) <= 6, "--top folds the others and keeps the sum", few["rows"])
    for args in (["report", str(path)], ["report", str(path), "--csv"],
                 ["--source", f"replay:{path}", "top", "--batch", "--json", "--interval", "500ms"]):
        first, second = run(*args), run(*args)
        check(first.returncode == 0 and first.stdout and first.stdout == second.stdout,
              f"{args[0]} gives the same bytes twice", first.stderr)
    lines = [json.loads(line) for line in first.stdout.splitlines()]
    check(len(lines) >= 4 and all(map(conserved, lines)) and sum(nj(x["total"]["joules"]) for x in lines) in totals,
          "replay shows intervals that add up")
    whole = path.read_bytes()
    piped = run("report", "-", "--json", stdin=whole)
    check(json.loads(piped.stdout)["total"] == data["total"], "a pipe is read like a file", piped.stderr)
    return whole


def test_damage(tmp, whole):
    path = tmp / "damaged.data"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    done = run("report", str(path), "--json")
    check(done.returncode == 0 and b"has no end" in done.stderr and conserved(json.loads(done.stdout)),
          "a cut recording is reported with a warning", done.stderr)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    path.write_bytes(flipped)
    done = run("report", str(path), "--json")
    check(done.returncode == 0 and b"damaged" in done.stderr and conserved(json.loads(done.stdout)),
          "a damaged recording is reported with a warning", done.stderr)


def test_damage_everywhere(tmp, whole):
    """Cut and flipped all over: the recording as it was, or a part of it and a warning, or an error."""
    path = tmp / "damaged.data"
    path.write_bytes(whole)
    intact = run("report", str(path), "--json").stdout
    energy = nj(json.loads(intact)["total"]["joules"])
    for step in range(STEPS):
        at = len(whole) * step // STEPS
        flipped = bytearray(whole)
        flipped[at] ^= 1 << step % 8
        for what, content in (("cut", whole[:at]), ("flipped", flipped)):
            path.write_bytes(content)
            done = run("report", str(path), "--json")
            if done.returncode == 0:
                data = json.loads(done.stdout)
                good = conserved(data) and nj(data["total"]["joules"]) <= energy
                good = good and (done.stdout == intact or b"warning" in done.stderr)
            else:
                good = done.returncode in (1, 2, 3) and done.stderr and not done.stdout
            check(good, f"{what} at byte {at} of {len(whole)}", f"{done.returncode} {done.stderr}")


def test_command(tmp):
    path = tmp / "command.data"
    done = run("record", "-o", str(path), "--", "sh", "-c",
               "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done) & wait; exit 7")
    check(done.returncode == 7, "the command's status is passed on", done.stderr)
    data = report(path, "--by", "comm")
    names = {row["comm"] for row in data["rows"] if row["kind"] == "comm"}
    check(names == {"sh"}, "only the command's rows have names", names)
    check(conserved(data) and sum(row["kind"] == "others" for row in data["rows"]) == 1, "and all others are one")
    done = run("record", "-o", str(path), "--", "/nonexistent")
    check(done.returncode == 127, "a command that cannot run", done.stderr)
    check((tmp / "command.data.old").exists(), "the earlier recording is kept")


def test_focus(tmp):
    """One process, and one cgroup, of a busy machine."""
    spin = ["sh", "-c", "while :; do :; done"]
    other, chosen = subprocess.Popen(spin), subprocess.Popen(spin)
    path = tmp / "focus.data"
    done = run("record", "-o", str(path), "-d", "700ms", "-p", str(chosen.pid))
    check(done.returncode == 0, "record -p", done.stderr)
    data = report(path)
    check(conserved(data) and {row["pid"] for row in data["rows"] if row["kind"] == "process"}
          == {chosen.pid}, "the process is the only one", data["rows"])
    mount = next((pathlib.Path(line.split()[1]) for line in open("/proc/mounts") if line.split()[2] == "cgroup2"), None)
    group = mount and mount / f"powertrace-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "cgroup.procs").write_text(str(chosen.pid))
    except (OSError, AttributeError) as error:
        print(f"no cgroup of our own ({error}): --cgroup is not tested")
    else:
        for name in (str(group), f"/{group.name}"):
            done = run("record", "-o", str(path), "-d", "700ms", "--cgroup", name)
            check(done.returncode == 0, f"record --cgroup {name}", done.stderr)
            data = report(path)
            rows = [row for row in data["rows"] if row["kind"] == "process"]
            check(conserved(data) and [row["pid"] for row in rows] == [chosen.pid]
                  and rows[0]["cgroup"].endswith(group.name), "the cgroup's process is the only one", rows)
    for child in (other, chosen):
        child.kill()
        child.wait()
    if group and group.exists():
        group.rmdir()


def test_killed(tmp):
    path = tmp / "killed.data"
    child = subprocess.Popen([POWERTRACE, "record", "-o", str(path), "--window", "20ms"], stderr=subprocess.DEVNULL)
    until(lambda: path.stat().st_size > 0)
    begin = time.monotonic()
    time.sleep(3.2)
    child.send_signal(signal.SIGKILL)
    child.wait()
    lived = time.monotonic() - begin
    done = run("report", str(path), "--json")
    data = json.loads(done.stdout)
    # What is flushed once a second may be on its way: two seconds of tolerance on a busy machine.
    check(data["duration_s"] > lived - 2 and b"has no end" in done.stderr, "killed: at most the last flush is missing",
          (data["duration_s"], lived, done.stderr))
    path = tmp / "interrupted.data"
    child = subprocess.Popen([POWERTRACE, "record", "-o", str(path), "--window", "60s"], stderr=subprocess.PIPE)
    until(lambda: path.stat().st_size > 0)
    begin = time.monotonic()
    time.sleep(0.5)
    lived = time.monotonic() - begin
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    check(child.returncode == 130, "interrupted: 130", err)
    check(run("report", str(path)).stderr == b"", "interrupted: the file is whole")
    check(report(path)["duration_s"] >= lived, "interrupted: recorded until then", lived)


def test_limits(tmp):
    done = run("record", "-o", "/dev/full", "-d", "1s")
    check(done.returncode == 1 and b"No space left" in done.stderr, "a full disk is said", done.stderr)
    path = tmp / "ring.data"
    done = run("record", "-o", str(path), "-d", "4s", "--window", "5ms", "--rotate", "2", "--max-size", "64K")
    check(done.returncode == 0, "a ring", done.stderr)
    check(path.exists() and not pathlib.Path(f"{path}.2").exists(),
          "a ring has no more files than asked for", list(tmp.iterdir()))
    piped = subprocess.run(f"'{POWERTRACE}' record -o - -d 500ms | '{POWERTRACE}' report - --csv", shell=True,
                           capture_output=True, check=False)
    check(piped.stdout.startswith(b"kind,id,"), "from pipe to pipe", piped.stderr)
    for args, says in ((["-d", "1ms"], b"shorter than --window"), (["-p", "1", "-a"], b"exclude each other"),
                       (["-p", "4194304"], b"no process"), (["--cgroup", "/none/such"], b"no cgroup"),
                       (["--rotate", "1"], b"--rotate"), (["--max-size", "3"], b"--max-size")):
        done = run("record", *args)
        check(done.returncode in (1, 2) and says in done.stderr, f"record {args} is refused", done.stderr)


def main():
    doctor = run("doctor")
    if doctor.returncode == 3:
        print("skipped: powertrace cannot work here")
        return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        whole = test_machine(tmp)
        test_damage(tmp, whole)
        test_damage_everywhere(tmp, whole)
        test_command(tmp)
        test_focus(tmp)
        test_killed(tmp)
        test_limits(tmp)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
