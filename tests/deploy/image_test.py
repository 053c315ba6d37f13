#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The image as deploy/docker/Dockerfile makes it, run by podman as deploy/docker/compose.yaml says: with
its capabilities, mounts and command, and no others. The first build takes minutes."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

from checks import check, skip, summary

HERE = pathlib.Path(__file__).resolve().parent
COMPOSE = HERE.parents[1] / "deploy/docker/compose.yaml"


class Podman:
    def __init__(self, work):
        self.work = work
        configuration = work / "containers.conf"
        configuration.write_text('[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n'
                                 '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="none"\n')
        self.environment = {**os.environ, "CONTAINERS_CONF": str(configuration)}

    def __call__(self, *arguments):
        return subprocess.run(["podman", "--root", self.work / "storage", "--runroot", self.work / "run", "--storage-driver",
                               "overlay", *arguments], capture_output=True, text=True, timeout=120, env=self.environment, check=False)


def seccomp_profile(work):
    """podman's own, with the two calls that it grants to CAP_SYS_ADMIN only; compose.yaml is for docker, which knows better."""
    profile = json.loads(pathlib.Path("/usr/share/containers/seccomp.json").read_text())
    calls = {"bpf", "perf_event_open"}
    for rule in profile["syscalls"]:
        rule["names"] = [name for name in rule["names"] if name not in calls]
    profile["syscalls"] = [rule for rule in profile["syscalls"] if rule["names"]]
    profile["syscalls"].append({"names": sorted(calls), "action": "SCMP_ACT_ALLOW"})
    path = work / "seccomp.json"
    path.write_text(json.dumps(profile))
    return path


def check_container(podman, image):
    service = yaml.safe_load(COMPOSE.read_text())["services"]["powertrace"]
    check(service["image"] == image.rpartition("/")[2], f"compose.yaml runs the image that is built, {image}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [argument.replace(":9102", f"127.0.0.1:{port}") for argument in service["command"]]
    volumes = [volume for volume in service["volumes"] if pathlib.Path(volume.split(":")[0]).exists()]
    started = podman("run", "--detach", "--name", "agent", "--network", "host", "--user", service["user"], "--read-only",
                     "--cap-drop", *service["cap_drop"], "--cap-add", ",".join(service["cap_add"]),
                     f"--security-opt=seccomp={seccomp_profile(podman.work)}",
                     *(f"--security-opt={option.replace(':true', '')}" for option in service["security_opt"]),
                     *(f"--volume={volume}" for volume in volumes), image, *command)
    if not check(started.returncode == 0, f"podman run {started.stderr.strip()}"):
        return
    busy = podman("run", "--detach", "--network", "none", "--entrypoint", "timeout", image, "60", "bash", "-c",
                  "while :; do :; done").stdout.strip()
    text, end, row = "", time.monotonic() + 30, f'powertrace_container_joules_total{{container_id="{busy}"'
    while row not in text and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            pass
        time.sleep(0.3)
    if not check(busy and row in text, "from its container the agent sees another"):
        print(podman("logs", "agent").stderr[-2000:])
    pid = podman("inspect", "--format", "{{.State.Pid}}", "agent").stdout.strip()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    print("\n".join(line for line in status.splitlines() if line.startswith(("Cap", "NoNewPrivs", "Seccomp:"))))
    check("CapEff:\t000000c000000004" in status and "Seccomp:\t2" in status, "three capabilities and a seccomp filter")
    begin = time.monotonic()
    podman("stop", "--time", "10", "agent")
    code = podman("inspect", "--format", "{{.State.ExitCode}}", "agent").stdout.strip()
    check(code == "0", f"SIGTERM ends it with status {code} in {time.monotonic() - begin:.1f} s")


def main():
    if os.geteuid() != 0 or not shutil.which("podman"):
        skip("takes root and podman")
    work = pathlib.Path(tempfile.mkdtemp(prefix="powertrace-image-"))
    podman = Podman(work)
    try:
        begin = time.monotonic()
        built = subprocess.run([HERE / "cluster/image.sh", work / "image.tar"], stdout=subprocess.PIPE, text=True, check=False)
        if built.returncode == 77:
            skip(built.stdout.strip())
        if not check(built.returncode == 0, f"the image is built in {time.monotonic() - begin:.0f} s"):
            return 1
        loaded = podman("load", "--quiet", "--input", work / "image.tar")
        if not check(loaded.returncode == 0, f"podman load {loaded.stderr.strip()}"):
            return 1
        image = built.stdout.strip()
        facts = json.loads(podman("image", "inspect", image).stdout)[0]
        print(f"{image}: {facts['Size'] / 1e6:.0f} MB")
        check(facts["Config"]["Entrypoint"] == ["/usr/sbin/powertrace"], "its entry point is powertrace")
        version = podman("run", "--rm", "--network", "none", image, "--version")
        check(version.returncode == 0 and image.rpartition(":")[2] in version.stdout, f"--version: {version.stdout.strip()}")
        check_container(podman, image)
    finally:
        podman("rm", "--all", "--force", "--time", "0")
        podman("rmi", "--all", "--force")
        shutil.rmtree(work, ignore_errors=True)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
