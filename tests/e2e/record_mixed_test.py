#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine that does everything at once, recorded with stacks and slices: stress-ng, a build, a fork
storm and a container. Every report adds up, and whatever ran is there by its name.

$MIXED_SECONDS is how long (60).
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from checks import check, summary, until
from recordings import (FORMATS, POWERTRACE, check_conservation, conserved, folded_energy, nj, pprof_energy, report,
                        run)
from runc_container import POD_CONTAINER, Unavailable, make_rootfs, run_pod

SECONDS = int(os.environ.get("MIXED_SECONDS", "60"))
METHODS = ("--cpu 1 --cpu-method fft", "--matrix 1", "--qsort 1", "--vm 1 --vm-bytes 16M", "--switch 1", "--pipe 1")
FORKS_A_SECOND = 1000
STORM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
int main(int argc, char **argv) {
  double rate = atof(argv[1]), seconds = atof(argv[2]), begin = now();
  long forks = 0;
  for (double length = 0; length < seconds; length = now() - begin) {
    for (; forks < length * rate && now() - begin < seconds; forks++) {
      pid_t child = fork();
      if (child == 0) _exit(0);
      if (child < 0 || waitpid(child, NULL, 0) != child) return 1;
    }
    usleep(1000);
  }
  printf("%ld\n", forks);
  return argc - 3;
}
"""


class Load:
    """Processes in groups of their own, so that all of them end."""

    def __init__(self, tmp):
        self.tmp, self.groups = tmp, []
        self.storm = tmp / "forkstorm"
        (tmp / "storm.c").write_text(STORM)
        subprocess.run(["cc", "-O1", "-o", str(self.storm), str(tmp / "storm.c")], check=True)

    def start(self, *command, **options):
        child = subprocess.Popen([str(word) for word in command], start_new_session=True, text=True,
                                 **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options})
        self.groups.append(child)
        return child

    def start_build(self):
        project = self.tmp / "project"
        project.mkdir()
        for number in range(6):
            (project / f"part{number}.c").write_text("#include <stdio.h>\n" + "".join(
                f"int f{number}_{i}(int x) {{ for (int i = 0; i < x; i++) x ^= printf(\"%d\", i * {i}); return x; }}\n"
                for i in range(20)))
        (project / "main.c").write_text("int main(void) { return 0; }\n")
        (project / "Makefile").write_text(
            "OBJECTS := $(patsubst %.c,%.o,$(wildcard *.c))\nprogram: $(OBJECTS)\n\tcc -o $@ $^\n"
            "%.o: %.c\n\tcc -O1 -c -o $@ $<\nclean:\n\trm -f *.o program\n")
        self.start("sh", "-c", "while make -s -j2 && make -s clean; do echo; done > builds", cwd=project)
        return project / "builds"

    def stop(self):
        for child in self.groups:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()


def record(tmp, host, load):
    """The recording, and what ran in it: (path, forks, builds)."""
    path = tmp / "mixed.data"
    load.start("stress-ng", "--temp-path", tmp, *" ".join(METHODS).split())
    builds = load.start_build()
    recorder = load.start(POWERTRACE, "--host-root", host, "record", "-g", "--slices", "-o", path, stderr=subprocess.PIPE)
    until(lambda: path.exists() and path.stat().st_size > 0)
    built = builds.stat().st_size
    storm = load.start("nice", "-n", "-20", load.storm, FORKS_A_SECOND, SECONDS, stdout=subprocess.PIPE)
    forks = int(storm.communicate(timeout=SECONDS + 60)[0])
    built = builds.stat().st_size - built
    recorder.send_signal(signal.SIGINT)
    _, said = recorder.communicate(timeout=60)
    check(recorder.returncode == 130, "recorded", said)
    print(said.strip(), f"; {forks} forks, {built} builds")
    return path, forks, built


def check_names(path, forks, built):
    data = report(path, "--by", "comm")
    comms = {row["comm"]: row for row in data["rows"] if row["kind"] == "comm"}
    check({"make", "cc1", "as", "ld"} <= set(comms) and built > 0, "the build's programs", sorted(comms))
    check(sum(name.startswith("stress-ng-") for name in comms) >= len(METHODS), "stress-ng's workers", sorted(comms))
    busy = sum(row["cpu_seconds"] for row in data["rows"])
    check(busy > 0.8 * SECONDS * os.cpu_count(), "the CPUs were busy", busy)
    storm = sum(row["kind"] == "process" and row["comm"] == "forkstorm"
                for row in report(path)["rows"])
    check(forks < storm <= forks + 1, "every fork has a row", (forks, storm, data["self"]))


def check_container(path):
    rows = [row for row in report(path, "--by", "container")["rows"] if row["kind"] == "container"]
    row = next((row for row in rows if row["id"] == POD_CONTAINER), None)
    check(row is not None, "the container has a row", rows)
    if row:
        check((row["runtime"], row["container"], row["pod"], row["namespace"])
              == ("runc", "worker", "job-1", "batch"), "with its runtime and names", row)
        check(row["joules"] > 0 and row["cpu_seconds"] > 0.02 * SECONDS, "and its energy", row)


def check_bytes(tmp, path, total_nj):
    """The same file, the same bytes, in whatever format."""
    for args in (["--json"], ["--csv"], ["--batch"], ["--by", "symbol", "--json"], ["--by", "caller", "--csv"]):
        first, second = run("report", str(path), *args), run("report", str(path), *args)
        check(first.returncode == 0 and first.stdout and first.stdout == second.stdout, f"report {args} twice",
              first.stderr)
    functions = report(path, "--by", "symbol")
    check(sum(nj(row["joules"]) for row in functions["rows"]) == total_nj, "functions add up")
    out = {}
    for name in FORMATS:
        out[name], again = tmp / f"out.{name}", tmp / "again"
        begin = time.monotonic()
        done = run("export", str(path), "--format", name, "-o", str(out[name]))
        took = time.monotonic() - begin
        check(done.returncode == 0, f"export {name}", done.stderr)
        run("export", str(path), "--format", name, "-o", str(again))
        check(out[name].read_bytes() == again.read_bytes(), f"export {name} twice")
        print(f"export {name}: {took:.1f} s, {out[name].stat().st_size / 1e6:.1f} MB")
    # Whole microjoules: what is below one is not there.
    check(folded_energy(out["folded"]) == total_nj // 1000, "folded adds up")
    check(pprof_energy(out["pprof"])[0] == total_nj // 1000, "pprof adds up")


def main():
    for program in ("stress-ng", "make", "cc"):
        if not shutil.which(program):
            print(f"skipped: no {program}")
            return 77
    if run("doctor").returncode == 3:
        print("skipped: powertrace cannot work here")
        return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        load, container = Load(tmp), None
        try:
            make_rootfs(tmp / "rootfs")
            container = run_pod(tmp, tmp / "rootfs", ["sh", "-c", "while :; do :; done"])
            path, forks, built = record(tmp, tmp, load)
        except Unavailable as why:
            print(f"skipped: {why}")
            return 77
        finally:
            load.stop()
            if container:
                container.remove()
        check_names(path, forks, built)
        check_container(path)
        total = report(path)
        check(conserved(total), "all of it adds up")
        check(check_conservation(path) == {nj(total["total"]["joules"])}, "whatever the division")
        check_bytes(tmp, path, nj(total["total"]["joules"]))
    return summary()


if __name__ == "__main__":
    sys.exit(main())
