# SPDX-License-Identifier: Apache-2.0
"""Containers made here and pulled from nowhere: runc, and a root filesystem of busybox."""
import json
import os
import pathlib
import shutil
import subprocess

POD_UID = "1b2c3d4e-0000-4000-8000-00000000abcd"
POD_CGROUP = f"/kubepods-{os.getpid()}/burstable/pod{POD_UID}"
POD_CONTAINER = "ab" * 32


class Unavailable(Exception):
    """Why there can be no container here."""


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False,
                          **options)


def make_rootfs(path):
    (path / "bin").mkdir(parents=True)
    busybox = shutil.which("busybox")
    if not busybox:
        raise Unavailable("busybox (package busybox-static) is not installed")
    shutil.copy(busybox, path / "bin/busybox")
    for name in ("sh", "sleep"):
        (path / "bin" / name).symlink_to("busybox")
    for directory in ("proc", "dev", "sys", "etc", "tmp"):
        (path / directory).mkdir()


def remove_cgroups(path, levels):
    """What runc leaves of a path, in each hierarchy."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, more = line.partition(" - ")
        if more.startswith("cgroup"):
            left = pathlib.Path(fields.split()[4] + path)
            for directory in (left, *list(left.parents)[:levels - 1]):
                if directory.is_dir():
                    directory.rmdir()


class RuncContainer:
    """Runs `command` as container `name`, in cgroup `parent`/`name`, until remove(). Its state is under
    `host`, which therefore is a --host-root."""

    def __init__(self, host, rootfs, name, parent, command, annotations=None):
        if not shutil.which("runc"):
            raise Unavailable("runc is not installed")
        self.root, self.name, self.parent = host / "run/runc", name, parent
        bundle = host / f"bundle-{name}"
        bundle.mkdir()
        done = run("runc", "spec", cwd=bundle)
        if done.returncode != 0:
            raise Unavailable(f"runc spec: {done.stderr.strip()}")
        path = bundle / "config.json"
        spec = json.loads(path.read_text())
        spec["root"] = {"path": str(rootfs), "readonly": True}
        spec["process"].update(terminal=False, args=[str(word) for word in command])
        spec["process"].pop("rlimits", None)
        spec["linux"]["cgroupsPath"] = f"{parent}/{name}"
        spec["annotations"] = annotations or {}
        path.write_text(json.dumps(spec))
        log = host / f"{name}.log"
        with open(log, "w", encoding="utf-8") as output:
            start = subprocess.run(["runc", "--root", self.root, "run", "-d", "-b", bundle, name],
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=60, check=False)
        if start.returncode != 0:
            self.remove()
            raise Unavailable(f"runc cannot start a container here: {log.read_text().strip()}")

    def remove(self):
        run("runc", "--root", self.root, "delete", "--force", self.name)
        remove_cgroups(self.parent, len(self.parent.strip("/").split("/")))


def run_pod(host, rootfs, command):
    """Container "worker" of pod "job-1", where a kubelet would put it and as containerd would have it made."""
    return RuncContainer(host, rootfs, POD_CONTAINER, POD_CGROUP, command, {
        "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": "worker",
        "io.kubernetes.cri.sandbox-name": "job-1", "io.kubernetes.cri.sandbox-namespace": "batch",
        "io.kubernetes.cri.sandbox-uid": POD_UID})
