#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real containers, made here and pulled from nowhere: what runs in them has its container's name and
runtime, and a container's energy is that of its processes.

One by runc in the cgroup a kubelet would give it, one by podman. Both run busybox. In a third runs
powertrace itself, with no more rights than the chart gives it.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from checks import check, skip, summary
from runc_container import POD_CGROUP, POD_CONTAINER, POD_UID, Unavailable, make_rootfs, remove_cgroups, run, run_pod

POWERTRACE = os.environ["POWERTRACE"]
AGENT = f"/powertrace-{os.getpid()}"


BUSY = "(while :; do :; done) & while :; do :; done"


class Podman:
    def __init__(self, host, rootfs):
        self.configuration = host / "containers.conf"
        self.configuration.write_text(
            '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\nnetns="none"\n'
            '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="none"\n')
        self.base = ["podman", "--root", host / "var/lib/containers/storage", "--runroot", host / "run/containers",
                     "--storage-driver", "vfs"]
        self.environment = {**os.environ, "CONTAINERS_CONF": str(self.configuration)}
        done = run(*self.base, "run", "-d", "--name", "busy-web", "--rootfs", rootfs, "sh", "-c",
                   "while :; do :; done", env=self.environment)
        self.id, self.error = done.stdout.strip(), done.stderr
        self.running = done.returncode == 0

    def remove(self):
        run(*self.base, "rm", "-f", "-t", "0", "busy-web", env=self.environment)


class Serve:
    def __init__(self, host):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [POWERTRACE, "--source", "synthetic", "--host-root", str(host), "serve", "--listen",
             f"127.0.0.1:{self.port}", "--levels", "container,pod,process"], stderr=subprocess.PIPE, text=True)
        for _ in range(100):
            if self.process.poll() == 3:
                skip(self.process.stderr.read().strip())
            try:
                self.get("/readyz")
                return
            except OSError:
                time.sleep(0.1)
        check(False, "serve does not become ready")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def snapshots(self, *levels):
        """The same snapshot at several levels."""
        for _ in range(50):
            found = [json.loads(self.get(f"/api/v1/snapshot?by={level}&limit=10000")) for level in levels]
            if len({snapshot["time"] for snapshot in found}) == 1:
                return found
        check(False, "no two requests met the same snapshot")
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.process.stderr.close()


def check_chart_rights(host):
    """As the chart runs it: no namespace of the host, three capabilities, everything read-only."""
    bundle = host / "agent"
    for directory in ("usr", "etc", "proc", "sys", "dev", "tmp", "pt", "host/sys", "host/proc"):
        (bundle / "rootfs" / directory).mkdir(parents=True)
    for name in ("lib", "lib64", "bin"):
        (bundle / "rootfs" / name).symlink_to(f"usr/{name}")
    shutil.copy(POWERTRACE, bundle / "rootfs/pt/powertrace")
    run("runc", "spec", cwd=bundle)
    spec = json.loads((bundle / "config.json").read_text())
    capabilities = ["CAP_BPF", "CAP_PERFMON", "CAP_DAC_READ_SEARCH"]
    spec["root"] = {"path": "rootfs", "readonly": True}
    spec["process"].update(terminal=False, noNewPrivileges=True, capabilities={
        kind: capabilities for kind in ("bounding", "effective", "permitted")})
    spec["process"]["args"] = ["/pt/powertrace", "--source", "synthetic", "--sysfs", "/host/sys", "--procfs", "/host/proc",
                               "top", "--by", "process", "--json", "--count", "2"]
    spec["process"].pop("rlimits", None)
    for source, target in (("/usr", "/usr"), ("/etc", "/etc"), ("/sys", "/host/sys"), ("/proc", "/host/proc"),
                           ("/sys/fs/cgroup", "/host/sys/fs/cgroup")):
        spec["mounts"].append({"source": source, "destination": target, "type": "bind",
                               "options": ["rbind", "ro", "rprivate"]})
    spec["linux"]["cgroupsPath"] = f"{AGENT}/agent"
    spec["linux"]["namespaces"] = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")]
    (bundle / "config.json").write_text(json.dumps(spec))
    done = run("runc", "--root", host / "run/agent", "run", "-b", bundle, "agent", stdin=subprocess.DEVNULL)
    remove_cgroups(AGENT, 1)
    if not check(done.returncode == 0, f"with the chart's rights: exit {done.returncode}: {done.stderr[-500:]}"):
        return
    rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    own = next((row for row in rows if row["kind"] == "powertrace"), None)
    check(own and own["pid"] > 1 and own["cgroup"] == f"{AGENT}/agent", f"powertrace in a container is {own}")
    busy = next((row for row in rows if row["container_id"] == POD_CONTAINER), None)
    check(busy and busy["cgroup"] == f"{POD_CGROUP}/{POD_CONTAINER}" and busy["cpu_seconds"] > 0.1,
          f"from inside a container the other one is {busy}")


def row_of(snapshot, container_id):
    return next((row for row in snapshot["rows"] if row["kind"] == "container" and row["id"] == container_id), None)


def check_energy(serve, ids):
    """Over some snapshots, a container has the energy of its processes."""
    for _ in range(3):
        containers, processes = serve.snapshots("container", "process")
        for container_id in ids:
            row = row_of(containers, container_id)
            if not check(row, f"container {container_id[:12]} has no row"):
                continue
            parts = sum(part["joules"] for part in processes["rows"]
                        if part["kind"] == "process" and part["container_id"] == container_id)
            check(row["joules"] > 0 and abs(parts - row["joules"]) <= 0.05 * row["joules"],
                  f"container {container_id[:12]}: {row['joules']} J, its processes {parts} J")
        time.sleep(1)


def check_runc(serve):
    row = row_of(serve.snapshots("container")[0], POD_CONTAINER)
    if not check(row, "runc's container has no row"):
        return
    check(row["container"] == "worker" and row["pod"] == "job-1" and row["namespace"] == "batch",
          f"runc's container is called {row['container']}, {row['pod']}, {row['namespace']}")
    check(row["runtime"] == "runc" and row["pod_uid"] == POD_UID, f"runc's container: {row['runtime']}")
    line = next((line for line in serve.get("/metrics").splitlines()
                 if line.startswith("powertrace_container_joules_total") and POD_CONTAINER in line), "")
    for label in ('container_name="worker"', 'pod_name="job-1"', 'pod_namespace="batch"', 'runtime="runc"'):
        check(label in line, f"{label} is not in {line}")


def check_podman(serve, podman):
    row = row_of(serve.snapshots("container")[0], podman.id)
    if check(row, "podman's container has no row"):
        check(row["container"] == "busy-web" and row["runtime"] == "podman",
              f"podman's container is called {row['container']}, runtime {row['runtime']}")


def check_recording(host):
    """Names become known after the first windows; a recording has them all the same."""
    path = host / "recording"
    done = run(POWERTRACE, "--source", "synthetic", "--host-root", host, "record", "-o", path, "-d", "2500ms")
    check(done.returncode == 0, f"record: {done.stderr}")
    row = row_of(json.loads(run(POWERTRACE, "report", path, "--by", "container", "--json").stdout), POD_CONTAINER)
    check(row and (row["runtime"], row["container"], row["pod"]) == ("runc", "worker", "job-1") and row["joules"] > 0,
          f"in a recording the container is {row}")


def main():
    if os.geteuid() != 0:
        skip("containers take root")
    host = pathlib.Path(tempfile.mkdtemp(prefix="powertrace-containers-"))
    made = []
    serve = None
    try:
        make_rootfs(host / "rootfs")
        made.append(run_pod(host, host / "rootfs", ["sh", "-c", BUSY]))
        podman = Podman(host, host / "rootfs") if shutil.which("podman") else None
        if podman:
            made.append(podman)
        serve = Serve(host)
        time.sleep(3)  # an interval with the names, and one more
        check_runc(serve)
        ids = [POD_CONTAINER]
        if podman and podman.running:
            check_podman(serve, podman)
            ids.append(podman.id)
        else:
            print(f"not checked: podman: {podman.error.strip() if podman else 'not installed'}")
        check_energy(serve, ids)
        check_recording(host)
        check_chart_rights(host)
    except Unavailable as why:
        skip(why)
    finally:
        if serve:
            serve.stop()
        for container in made:
            container.remove()
        shutil.rmtree(host, ignore_errors=True)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
