#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The chart on a real Kubernetes: built from Debian's source package, run in namespaces of its own
(cluster/), with our image built by our Dockerfile and fake RAPL zones on the node.

What a user does: install with values and --wait, look at pods on /metrics, `helm test`, upgrade to
other values, add power limits and the cost service, uninstall. The first run takes as long as
Kubernetes and the image take to build; POWERTRACE_IMAGE is an archive to use instead of the latter.
"""
import collections
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

from checks import skip

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHART = ROOT / "deploy/helm/powertrace"
TOOLS = {"etcd": "etcd-server", "containerd": "containerd", "ctr": "containerd", "runc": "runc", "iptables": "iptables",
         "conntrack": "conntrack", "dnsmasq": "dnsmasq-base", "openssl": "openssl", "busybox": "busybox-static",
         "/usr/lib/cni/ptp": "containernetworking-plugins", "prometheus": "prometheus"}
BUSYBOX = "docker.io/library/busybox:1"  # pods and, with its entry point, the sandboxes
failures = []
begun = time.monotonic()


def say(text):
    print(f"{time.monotonic() - begun:6.1f} s  {text}", flush=True)


def check(condition, message):
    if condition:
        say(f"ok: {message}")
    else:
        failures.append(message)
        say(f"FAILED: {message}")
    return condition


def run(*command, timeout=300, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout, **options)


def prepared(*command):
    """The last line of a script that makes something, once."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 77:
        skip(done.stdout.strip())
    if done.returncode != 0:
        sys.exit(f"FAILED: {command[0].name} ended with status {done.returncode}")
    return done.stdout.strip().splitlines()[-1]


def write_busybox(archive):
    """An image of busybox alone, in docker's format."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
        for name in ("sh", "sleep"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    config = {"architecture": machine, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
              "config": {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/sleep", "2147483647"]}}
    manifest = [{"Config": "config.json", "RepoTags": [BUSYBOX], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        for name, data in (("layer.tar", layer.getvalue()), ("config.json", json.dumps(config).encode()),
                           ("manifest.json", json.dumps(manifest).encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


class Cluster:
    def __init__(self, state, binaries):
        self.state = state
        self.path = f"{binaries}:{os.environ['PATH']}"
        self.helm_program = prepared(ROOT / "tools/fetch_helm.sh")
        self.process = subprocess.Popen([HERE / "cluster/cluster.sh", state, binaries])
        self.wait(lambda: "True" in self.kubectl("get", "nodes", "-o",
                                                 "jsonpath={.items[0].status.conditions[?(@.type=='Ready')].status}").stdout,
                  "the node is ready", 180)

    def enter(self, *command, **options):
        return run(HERE / "cluster/enter.sh", self.state, *command, env={**os.environ, "PATH": self.path}, **options)

    def kubectl(self, *arguments, **options):
        return self.enter("kubectl", *arguments, **options)

    def get(self, *arguments):
        done = self.kubectl("get", *arguments, "-o", "json")
        return json.loads(done.stdout)["items"] if done.returncode == 0 else []

    def helm(self, *arguments):
        begin = time.monotonic()
        done = self.enter(self.helm_program, *arguments, "-n", "powertrace", "--timeout", "3m")
        if not check(done.returncode == 0, f"helm {arguments[0]} in {time.monotonic() - begin:.1f} s"):
            print(done.stdout[-1500:], done.stderr[-1500:])
            self.describe()
        return done

    def service(self, path, name="powertrace:9102"):
        done = self.kubectl("get", "--raw", f"/api/v1/namespaces/powertrace/services/{name}/proxy{path}")
        return done.stdout if done.returncode == 0 else ""

    def wait(self, question, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if question():
                return check(True, what)
            time.sleep(0.5)
        check(False, f"{what}, within {seconds} s")
        self.describe()
        return False

    def describe(self):
        for command in (("get", "pods", "-A", "-o", "wide"), ("get", "events", "-A"),
                        ("logs", "-n", "powertrace", "-l", "app.kubernetes.io/instance=powertrace", "--all-containers")):
            print(self.kubectl(*command).stdout[-2500:])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def series(text, name):
    """The samples of a metric: [(labels, value)]; an absent label is empty."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(re.escape(name) + r"\{(.*)\} ([^ ]+)( .*)?", line)
        if match:
            found.append((collections.defaultdict(str, re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[1])), float(match[2])))
    return found


def package_joules(text, pod_name):
    return sum(value for labels, value in series(text, "powertrace_pod_joules_total")
               if labels["zone"] == "package" and labels["pod_name"].startswith(pod_name))


def start_workloads(cluster):
    """A busy and an idle Deployment, a job of a CronJob, of an image made here."""
    def container(name, script, cpu):
        return {"name": name, "image": BUSYBOX, "command": ["sh", "-c", script], "resources": {"limits": {"cpu": cpu}}}

    def deployment(name, *containers):
        labels = {"app": name}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
                "spec": {"selector": {"matchLabels": labels}, "template": {
                    "metadata": {"labels": labels},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": list(containers)}}}}
    busy = "while :; do :; done"
    cron = {"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "report", "namespace": "shop"},
            "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [container("sum", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done",
                                                                   "300m")]}}}}}}
    objects = {"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        deployment("busy", container("worker", busy, "400m"), container("helper", "while sleep 1; do :; done", "100m")),
        deployment("idle", container("sleeper", "while sleep 1; do :; done", "100m")), cron]}
    done = cluster.kubectl("apply", "-f", "-", input=json.dumps(objects))
    check(done.returncode == 0, f"workloads are accepted {done.stderr.strip()}")
    done = cluster.kubectl("rollout", "status", "-n", "shop", "deployment/busy", "--timeout", "90s")
    check(done.returncode == 0, "the busy pod runs")


def check_rights(cluster):
    """What the chart promises, seen from the kernel's side."""
    pod = cluster.get("pods", "-n", "powertrace", "-l", "app.kubernetes.io/name=powertrace")[0]
    container_id = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    done = cluster.enter("ctr", "-n", "k8s.io", "tasks", "list")
    pid = next((line.split()[1] for line in done.stdout.splitlines() if line.startswith(container_id)), "0")
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    wanted = 1 << 39 | 1 << 38 | 1 << 2  # BPF, PERFMON, DAC_READ_SEARCH
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        check(int(status[kind], 16) == wanted, f"{kind} of the agent is {status[kind]}: three capabilities")
    check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "no new privileges, and a seccomp filter")
    for name in ("net", "pid", "mnt", "ipc", "uts"):
        check(os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/{cluster.process.pid}/ns/{name}"),
              f"the agent has a {name} namespace of its own")
    for path in ("sys", "sys/fs/cgroup", "proc"):
        flags = os.statvfs(f"/proc/{pid}/root/host/{path}").f_flag
        check(flags & os.ST_RDONLY, f"the host's /{path} is mounted read-only")


def check_metrics(cluster):
    text = cluster.service("/metrics")
    sources = series(text, "powertrace_source_info")
    check(any(labels["measured"] == "true" for labels, _ in sources), f"energy comes from the node's zones: {sources}")
    owners = {(labels["pod_namespace"], re.sub(r"-[0-9a-f]+-\w+$", "", labels["pod_name"]), labels["owner_kind"], labels["owner_name"])
              for labels, _ in series(text, "powertrace_pod_joules_total")}
    for owner in (("shop", "busy", "Deployment", "busy"), ("shop", "idle", "Deployment", "idle")):
        check(owner in owners, f"owner {owner}")
    check(any(owner[1] == "[powertrace]" for owner in owners), "the agent's own use has its row")
    check(any(owner[2:] == ("CronJob", "report") for owner in owners), f"the job's pod belongs to its CronJob: {owners}")
    containers = {(labels["pod_namespace"], labels["container_name"], labels["runtime"])
                  for labels, _ in series(text, "powertrace_container_joules_total")}
    for name in ("worker", "sleeper", "helper"):
        check(("shop", name, "containerd") in containers, f"container {name}: {containers}")
    for labels, value in series(text, "powertrace_node_active_joules_total"):
        for level in ("pod", "container"):
            rows = sum(row for own, row in series(text, f"powertrace_{level}_joules_total") if own["zone"] == labels["zone"])
            gone = sum(row for own, row in series(text, "powertrace_gone_joules_total")
                       if own["zone"] == labels["zone"] and own["level"] == level)
            check(abs(rows + gone - value) <= 1e-6 * value + 1e-6,
                  f"{level}: rows {rows:.6f} J and gone {gone:.6f} J are the node's active {value:.6f} J of {labels['zone']}")
    kepler = {(labels["pod_namespace"], labels["pod_name"].split("-")[0]): value
              for labels, value in series(text, "kepler_pod_cpu_watts") if labels["zone"] == "package"}
    say(f"kepler_pod_cpu_watts: {kepler}")
    check(kepler.get(("shop", "busy"), 0) > 5 * kepler.get(("shop", "idle"), 1e9), "Kepler's names have the pods, and their watts")


def check_energy(cluster):
    """30 W a busy CPU: the pod with four tenths of one has 12 W at most, the idle one next to nothing."""
    before, begin = cluster.service("/metrics"), time.monotonic()
    cluster.wait(lambda: package_joules(cluster.service("/metrics"), "busy") > package_joules(before, "busy") + 30,
                 "the busy pod uses 30 J", 60)
    after, seconds = cluster.service("/metrics"), time.monotonic() - begin
    busy, idle = (package_joules(after, name) - package_joules(before, name) for name in ("busy", "idle"))
    check(busy > 20 * idle > 0, f"{busy:.1f} J of the busy pod, {idle:.3f} J of the idle one in {seconds:.1f} s: {busy / seconds:.1f} W")


def check_agent(cluster, how):
    cluster.wait(lambda: any(labels["owner_name"] == "busy" for labels, _ in
                             series(cluster.service("/metrics"), "powertrace_pod_joules_total")), f"pods have names {how}")


def check_upgrade(cluster, values):
    def pod():
        return [pod["metadata"]["uid"] for pod in cluster.get("pods", "-n", "powertrace", "-l", "app.kubernetes.io/name=powertrace")]
    before = pod()
    cluster.helm("upgrade", "powertrace", CHART, "--wait", "-f", values, "--set",
                 "config.kube=kubelet,config.kube-insecure=true,rbac.legacyKubelet=true,runtimeState.enabled=true")
    check(pod() != before and len(pod()) == 1, "the upgrade replaced the pod")
    check_agent(cluster, "from the kubelet")


def check_cap(cluster, values):
    zone = "/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw"
    found = cluster.enter("cat", zone).stdout
    cluster.kubectl("label", "node", "lab", "powertrace.io/cap=enabled")
    settings = ["--set", "cap.enabled=true,cap.market=null,cap.nodeAnnotations=true,cap.config.policy=schedule",
                "--set", "cap.config.area=null,cap.config.dwell=1s", "--set-string", r"cap.config.schedule=60%"]
    cluster.helm("upgrade", "powertrace", CHART, "--wait", "-f", values, *settings)
    text = cluster.service("/metrics", "powertrace:9102")
    check(bool(text), "the agent still answers")
    check(cluster.enter("cat", zone).stdout == found, "observing writes no limit")
    cluster.helm("upgrade", "powertrace", CHART, "--wait", "-f", values, *settings, "--set", "cap.mode=enforce")
    cluster.wait(lambda: cluster.enter("cat", zone).stdout.strip() == "75000000", "60 % of 125 W are set from the pod")

    def annotations():
        return {name: value for name, value in cluster.get("nodes")[0]["metadata"]["annotations"].items()
                if name.startswith("powertrace.io/")}
    cluster.wait(lambda: annotations().get("powertrace.io/power-limit-watts", "").startswith("75"), "the node is annotated")
    say(f"annotations: {annotations()}")
    cluster.helm("upgrade", "powertrace", CHART, "--wait", "-f", values, *settings)
    cluster.wait(lambda: cluster.enter("cat", zone).stdout == found, "observing again, the limit is as it was found")
    cluster.wait(lambda: not annotations().get("powertrace.io/power-limit-watts", "").startswith("75"), "the node's annotations say so")
    say(f"annotations: {annotations()}")
    cluster.helm("upgrade", "powertrace", CHART, "--wait", "-f", values)


def check_collector(cluster, values):
    node_ip = (cluster.state / "ips").read_text().split()[0]
    agent = cluster.get("pods", "-n", "powertrace", "-l", "app.kubernetes.io/name=powertrace")[0]["status"]["podIP"]
    (cluster.state / "prometheus.yaml").write_text(
        "{global: {scrape_interval: 1s}, scrape_configs: [{job_name: powertrace, "
        f"static_configs: [{{targets: ['{agent}:9102']}}]}}]}}")
    with open(cluster.state / "log/prometheus", "w", encoding="utf-8") as log:
        prometheus = subprocess.Popen([HERE / "cluster/enter.sh", cluster.state, "prometheus", "--config.file",
                                       cluster.state / "prometheus.yaml", "--storage.tsdb.path", cluster.state / "prometheus",
                                       "--web.listen-address", f"{node_ip}:9090"], stdout=log, stderr=log)
    try:
        cluster.helm("upgrade", "powertrace", CHART, "--wait", "-f", values, "--set", "collector.enabled=true", "--set",
                     f"collector.config.prometheus=http://{node_ip}:9090,collector.config.price=0.12EUR/kWh")
        cluster.wait(lambda: "busy-" in cluster.service("/api/v1/cost/current?by=pod&range=1m", "powertrace-collector:9103"),
                     "the collector knows what the busy pod costs")
        rows = json.loads(cluster.service("/api/v1/cost/current?by=pod&range=1m", "powertrace-collector:9103"))["rows"]
        say(f"cost of the busy pod: {[row for row in rows if 'busy' in str(row)]}")
    finally:
        prometheus.terminate()
        prometheus.wait(20)


def check_uninstall(cluster):
    cluster.helm("uninstall", "powertrace", "--wait")
    kinds = "all,configmaps,secrets,serviceaccounts,networkpolicies,clusterroles,clusterrolebindings"
    cluster.wait(lambda: not cluster.get(kinds, "-n", "powertrace", "-l", "app.kubernetes.io/instance=powertrace"),
                 "nothing of the release is left")
    left = [item["metadata"]["name"] for kind in ("pods", "configmaps", "secrets") for item in cluster.get(kind, "-n", "powertrace")]
    check(not [name for name in left if "powertrace" in name], f"left in the namespace: {left}")


def check_nothing_left(pid):
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    check(f"powertrace-cluster-{pid}" not in mounts and "containerd" not in mounts, "no mount is left")
    left = [path for path in pathlib.Path("/sys/fs/cgroup").glob(f"**/powertrace-cluster-{pid}")]
    check(not left, f"no cgroup is left {left}")


def main():
    if os.geteuid() != 0:
        skip("a cluster takes root")
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        skip(f"Debian packages are missing: {' '.join(missing)} (all that this takes: tools/apt-packages-cluster.txt)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # and so cleaned up
    binaries = prepared(HERE / "cluster/build.sh")
    work = pathlib.Path(tempfile.mkdtemp(prefix="powertrace-cluster-"))
    cluster = None
    try:
        if os.environ.get("POWERTRACE_IMAGE"):
            image = shutil.copy(os.environ["POWERTRACE_IMAGE"], work / "powertrace.tar")
        else:
            image = prepared(HERE / "cluster/image.sh", work / "powertrace.tar")
        write_busybox(work / "busybox.tar")
        say(f"Kubernetes is in {binaries}, the image is {image}")
        cluster = Cluster(work / "state", binaries)
        for archive in ("busybox.tar", "powertrace.tar"):
            done = cluster.enter("ctr", "-n", "k8s.io", "images", "import", work / archive)
            check(done.returncode == 0, f"{archive} is imported {done.stderr.strip()}")
        start_workloads(cluster)
        values = work / "values.yaml"
        values.write_text("networkPolicy: {enabled: true}\nprobes: {initialDelaySeconds: 1, periodSeconds: 2}\n")
        cluster.helm("install", "powertrace", CHART, "--create-namespace", "--wait", "-f", values)
        check_agent(cluster, "from the API server")
        cluster.kubectl("create", "job", "-n", "shop", "report-27000000", "--from=cronjob/report")
        cluster.wait(lambda: any(labels["owner_name"].startswith("report") for labels, _ in
                                 series(cluster.service("/metrics"), "powertrace_pod_joules_total")), "the job's pod is seen")
        check_rights(cluster)
        check_metrics(cluster)
        check_energy(cluster)
        cluster.helm("test", "powertrace")
        check_upgrade(cluster, values)
        check_cap(cluster, values)
        check_collector(cluster, values)
        check_uninstall(cluster)
    finally:
        if cluster:
            cluster.stop()
            check_nothing_left(cluster.process.pid)
        if not os.environ.get("KEEP"):
            shutil.rmtree(work, ignore_errors=True)
    print(f"kubernetes: {len(failures)} FAILED" if failures else "kubernetes: all as it should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
