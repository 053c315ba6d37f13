#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everything in deploy/ against what it is for: the chart against helm and the Kubernetes API, rules
against promtool, dashboards, rules and documents against the metrics that the program exports, the
unit against systemd. What cannot be checked here says why; that is no failure.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from checks import check, summary

try:
    import yaml
    import kube_schema
except ImportError as missing:
    print(f"skipped: {missing} (packages python3-yaml, python3-kubernetes)")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm/powertrace"
POWERTRACE = os.environ["POWERTRACE"]


def skipped(what):
    print(f"not checked: {what}")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **options)


def succeeds(*command, **options):
    done = run(*command, **options)
    check(done.returncode == 0, f"{' '.join(str(part) for part in command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def find_helm():
    if os.environ.get("HELM"):
        return os.environ["HELM"]
    done = run(ROOT / "tools/fetch_helm.sh")
    if done.returncode != 0:
        skipped(f"the chart: {done.stderr.strip()}")
        return None
    return done.stdout.strip()


def pods_of(document):
    if document["kind"] == "Pod":
        return [document["spec"]]
    return [document["spec"]["template"]["spec"]] if document["kind"] in ("DaemonSet", "Deployment") else []


# The only mounts of the host that may be writable: limits, and what a restore must find again.
WRITABLE = {"cap": {"/host/sys/class/powercap", "/run/powertrace"}, "restore": {"/host/sys/class/powercap", "/run/powertrace"}}


def check_least_privilege(documents, what):
    for document in documents:
        for pod in pods_of(document):
            check(not pod.get("hostNetwork") and not pod.get("hostPID") and not pod.get("hostIPC"),
                  f"{what}: {document['kind']} shares a namespace of the host")
            host = {volume["name"] for volume in pod.get("volumes", []) if "hostPath" in volume}
            for container in pod["containers"] + pod.get("initContainers", []):
                context = {**pod.get("securityContext", {}), **container["securityContext"]}
                check(context["seccompProfile"]["type"] == "RuntimeDefault", f"{what}: no seccomp profile")
                agent = container["name"] in ("powertrace", "cap", "restore")
                check(agent or context.get("runAsNonRoot") is True, f"{what}: {container['name']} may be root")
                check(not context.get("privileged"), f"{what}: a privileged container")
                check(context["allowPrivilegeEscalation"] is False, f"{what}: privileges may grow")
                check(context["readOnlyRootFilesystem"] is True, f"{what}: the root file system is writable")
                check(context["capabilities"]["drop"] == ["ALL"], f"{what}: capabilities are kept")
                allowed = {"BPF", "PERFMON", "DAC_READ_SEARCH"} if container["name"] in ("powertrace", "cap") else set()
                check(set(context["capabilities"].get("add", [])) <= allowed, f"{what}: more capabilities than documented")
                for mount in container.get("volumeMounts", []):
                    check(mount["name"] not in host or mount.get("readOnly") is True
                          or mount["mountPath"] in WRITABLE.get(container["name"], ()),
                          f"{what}: {mount['mountPath']} of the host is writable")


# Everything on at once, then one by one what excludes it.
VARIANTS = {
    "defaults": [],
    "everything": ["serviceMonitor.enabled=true", "podMonitor.enabled=true", "prometheusRule.enabled=true",
                   "dashboards.enabled=true", "networkPolicy.enabled=true", "runtimeState.enabled=true",
                   "recursiveReadOnly=IfPossible", "webConfig.existingSecret=web", "priorityClassName=high",
                   "podLabels.a=b", "serviceAccount.annotations.a=b", "extraArgs={--log-level,debug}"],
    "synthetic": ["config.source=synthetic", "powerSimulation.basePowerWatts=50", "powerSimulation.cpuPowerFactor=2.5",
                  "powerSimulation.memoryPowerFactor=0.5", "powerSimulation.maxNodePowerWatts=500"],
    "kubelet": ["config.kube=kubelet"],
    "no names": ["config.kube=off", "networkPolicy.enabled=true"],
    "collector": ["collector.enabled=true", "collector.config.prometheus=http://prometheus:9090",
                  "collector.config.price=0.12EUR/kWh", "collector.config.pue=1.3"],
    "collector and all": ["collector.enabled=true", "collector.config.prometheus=https://prometheus:9090",
                          "collector.config.price=market:FR", "collector.config.carbon=400g/kWh",
                          "collector.market.provider=entsoe", "collector.market.area=FR", "collector.marketTokenSecret=a",
                          "collector.tokenSecret=b", "collector.prometheusTokenSecret=c",
                          "collector.webConfig.existingSecret=d", "networkPolicy.enabled=true"],
    "cap": ["cap.enabled=true"],
    "cap and all": ["cap.enabled=true", "cap.mode=enforce", "cap.profile=true", "cap.nodeAnnotations=true",
                    "cap.annotationNames=rapl", "cap.marketTokenSecret=a", "cap.priorityClassName=high",
                    "networkPolicy.enabled=true", "serviceMonitor.enabled=true"],
    "cap by the clock": ["cap.enabled=true", "cap.mode=enforce", "cap.market=null", "cap.config.policy=schedule",
                         "cap.config.schedule=60%", "networkPolicy.enabled=true"],
}


def render(helm, settings, name="pt"):
    arguments = [part for setting in settings for part in ("--set", setting)]
    done = succeeds(helm, "template", name, CHART, "--namespace", "power", *arguments)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def check_chart(helm):
    succeeds(helm, "lint", "--strict", CHART)
    for name, settings in VARIANTS.items():
        documents = render(helm, settings)
        for document in documents:
            for problem in kube_schema.check_document(document):
                check(False, f"chart, {name}: {problem}")
        check_least_privilege(documents, f"chart, {name}")
        for document in documents:
            if document["kind"] == "ConfigMap" and "powertrace.yaml" in document["data"]:
                check_config(document["data"]["powertrace.yaml"], f"chart, {name}, {document['metadata']['name']}")
        check_selectors(documents, f"chart, {name}")
        roles = [rule for d in documents if d["kind"] == "ClusterRole" for rule in d["rules"]]
        expected = {"kubelet": [(["nodes/pods"], ["get"])], "no names": []}.get(name, [(["pods"], ["list", "watch"])])
        if name == "cap and all":
            expected = [(["nodes"], ["patch"]), *expected]
        check([(rule["resources"], rule["verbs"]) for rule in roles] == expected, f"chart, {name}: roles {roles}")
    check_cap(helm)
    everything = render(helm, VARIANTS["everything"])
    rules = next(d for d in everything if d["kind"] == "PrometheusRule")["spec"]
    check(rules == yaml.safe_load((CHART / "files/rules.yaml").read_text()), "PrometheusRule is not files/rules.yaml")
    synthetic = render(helm, VARIANTS["synthetic"])
    config = yaml.safe_load(next(d for d in synthetic if d["kind"] == "ConfigMap")["data"]["powertrace.yaml"])
    check(config["synthetic"] == "curve=seed,base=50,cpu_factor=2.5,max=500,mem_factor=0.5",
          f"the formula became {config.get('synthetic')}")
    profile = render(helm, ["config.source=synthetic", "powerSimulation.cpuPowerFactor=2",
                            "powerSimulation.defaultProfile=heavy", "powerSimulation.profiles.heavy.basePowerWatts=120"])
    config = yaml.safe_load(next(d for d in profile if d["kind"] == "ConfigMap")["data"]["powertrace.yaml"])
    check(config["synthetic"] == "curve=seed,base=120,cpu_factor=2", f"the profile became {config.get('synthetic')}")
    # The upgrade to a meter is one value: nothing but the configuration and its checksum may differ.
    before = render(helm, ["config.source=synthetic"])
    after = render(helm, ["config.source=auto"])
    for one, other in zip(before, after):
        differs = one != other
        check(not differs or one["kind"] in ("ConfigMap", "DaemonSet"), f"source=auto changes {one['kind']}")
    for wrong in ("image.repo=x", "config.kube=sometimes", "service.port=0", "powerSimulation.basePowerWatts=-1",
                  "powerSimulation.defaultProfile=none", "config.serve.listen=9102", "cap.mode=force",
                  "cap.config.policy=guess", "collector.prometheus=x", "collector.config.schema=kepler"):
        done = run(helm, "template", "pt", CHART, "--set", wrong)
        check(done.returncode != 0 and wrong.split("=")[0].split(".")[-1] in done.stderr,
              f"--set {wrong} is accepted or not explained: {done.stderr[-300:]}")
    done = run(DEPLOY / "kubernetes/render.sh", "--check", env={**os.environ, "HELM": helm})
    check(done.returncode == 0, f"deploy/kubernetes: {done.stdout[-1500:]}{done.stderr}")


def check_selectors(documents, what):
    """Each service, policy and monitor finds exactly the pods of one workload."""
    pods = {d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"] for d in documents if pods_of(d) and d["kind"] != "Pod"}
    for document in documents:
        spec = document.get("spec", {})
        selector = {"Service": spec.get("selector"), "NetworkPolicy": spec.get("podSelector", {}).get("matchLabels"),
                    "PodMonitor": spec.get("selector", {}).get("matchLabels")}.get(document["kind"])
        if selector:
            found = [name for name, labels in pods.items() if selector.items() <= labels.items()]
            check(found == [document["metadata"]["name"]], f"{what}: {document['kind']} {document['metadata']['name']} selects {found}")


def check_cap(helm):
    """Observing writes nothing, enforcing is asked for twice, credentials come with annotations only."""
    def parts(settings):
        documents = render(helm, ["cap.enabled=true", *settings])
        pod = next(d for d in documents if d["metadata"]["name"].endswith("-cap") and d["kind"] == "DaemonSet")["spec"]["template"]["spec"]
        config = next(d for d in documents if d["metadata"]["name"].endswith("-cap") and d["kind"] == "ConfigMap")
        return documents, pod, pod["containers"][0], yaml.safe_load(config["data"]["powertrace.yaml"])
    documents, pod, cap, config = parts([])
    powercap = next(mount for mount in cap["volumeMounts"] if mount["name"] == "powercap")
    check(cap["args"][-1] == "observe" and powercap.get("readOnly") is True and config["cap"]["enabled"] is False,
          f"cap observes: {cap['args']} {powercap}")
    check(pod["automountServiceAccountToken"] is False and "serviceAccountName" not in pod, "cap has credentials")
    check([c["name"] for c in pod["initContainers"]] == ["restore"], "nothing is restored at the start")
    check([c["name"] for c in pod["containers"]] == ["cap", "fetch"], "nobody fetches")
    documents, pod, cap, config = parts(["cap.mode=enforce"])
    check(cap["args"][-2:] == ["enforce", "--write"] and config["cap"]["enabled"] is True, f"cap enforces: {cap['args']}")
    check(cap["lifecycle"]["preStop"]["exec"]["command"][-3:] == ["cap", "restore", "--stop"], "nothing is restored at the end")
    check(pod["automountServiceAccountToken"] is False, "cap has credentials")
    documents, pod, cap, config = parts(["cap.nodeAnnotations=true"])
    check(pod["serviceAccountName"] == "pt-powertrace-cap" and "--node-annotations=$(NODE_NAME)" in cap["args"], "no annotations")
    for wrong in ("write=true", "enabled=true", "node-annotations=x"):
        done = run(helm, "template", "pt", CHART, "--set", f"cap.enabled=true,cap.config.{wrong}")
        check(done.returncode != 0, f"cap.config.{wrong} goes around mode and nodeAnnotations")
    done = run(helm, "template", "pt", CHART, "--set", "collector.enabled=true")
    check(done.returncode != 0 and "say where the Prometheus is" in done.stderr, f"a collector without Prometheus: {done.stderr}")


def check_config(text, what):
    """The program itself reads it: a key it does not know is an error with its line."""
    if "config" not in run(POWERTRACE, "--help").stdout.split():
        skipped(f"{what}: this program has no `config check`")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        pod = {**os.environ, "KUBERNETES_SERVICE_HOST": "10.0.0.1", "NODE_NAME": "node-1"}
        succeeds(POWERTRACE, "config", "check", file.name, env=pod)


def check_manifests():
    documents = []
    for path in ("namespace.yaml", "powertrace.yaml", "collector.yaml", "cap.yaml"):
        documents += [d for d in yaml.safe_load_all((DEPLOY / "kubernetes" / path).read_text()) if d]
    for document in documents:
        for problem in kube_schema.check_document(document):
            check(False, f"deploy/kubernetes: {problem}")
    check_least_privilege(documents, "deploy/kubernetes")
    broken = json.loads(json.dumps(next(d for d in documents if d["kind"] == "DaemonSet")))
    broken["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    broken["spec"]["template"]["spec"]["hostPID"] = "yes"
    del broken["spec"]["selector"]
    check(len(list(kube_schema.check_document(broken))) == 3, "the validator overlooks what is wrong")
    if shutil.which("kubectl") and run("kubectl", "kustomize", DEPLOY / "kubernetes").returncode == 0:
        check("namespace: powertrace" in run("kubectl", "kustomize", DEPLOY / "kubernetes").stdout, "kustomize")
    else:
        skipped("kustomization.yaml: no kubectl with kustomize here")


def check_compose_program(*files):
    if not shutil.which("docker-compose"):
        skipped("compose files by docker-compose, which is not installed")
        return
    succeeds("docker-compose", *(part for file in files for part in ("--file", DEPLOY / "docker" / file)), "config", "--quiet")


def check_compose():
    check_compose_program("compose.yaml")
    check_compose_program("compose.yaml", "compose.cost.yaml")
    base = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text())
    agent = base["services"]["powertrace"]
    check(agent["cap_drop"] == ["ALL"] and set(agent["cap_add"]) == {"BPF", "PERFMON", "DAC_READ_SEARCH"},
          "compose: capabilities")
    check(all(volume.endswith(":ro") for volume in agent["volumes"]), "compose: a mount is writable")
    more = yaml.safe_load((DEPLOY / "docker/compose.cost.yaml").read_text())
    collector = more["services"]["collector"]
    check(collector["cap_drop"] == ["ALL"] and collector["read_only"] is True and collector["user"] == "65534:65534",
          "compose.cost: the collector may do more than it needs")
    declared = {*base["volumes"], *more["volumes"]}
    for name, service in [*base["services"].items(), *more["services"].items()]:
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            check(source.startswith(("/", ".")) or source in declared, f"compose: {name} mounts {source}, which is declared nowhere")
            check(not source.startswith(".") or (DEPLOY / "docker" / source).exists(), f"compose: there is no {source}")
    services = {*base["services"], *more["services"]}
    for name, service in more["services"].items():
        check(set(service.get("depends_on", [])) <= services, f"compose.cost: {name} depends on nobody known")
    for name, options in (("serve", agent["command"] + more["services"]["powertrace"]["command"]), ("collector", collector["command"])):
        known = run(POWERTRACE, name, "--help").stdout + run(POWERTRACE, "--help").stdout
        for option in options:
            word = option.split("=")[0]
            check(not word.startswith("--") or word in known.split(), f"compose: {name} has no option {word}")


def check_rules():
    if not shutil.which("promtool"):
        skipped("rules: no promtool (package prometheus)")
        return
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(CHART / "files/rules.yaml", directory)
        shutil.copy(ROOT / "tests/deploy/rules_test.yaml", directory)
        succeeds("promtool", "check", "rules", "rules.yaml", cwd=directory)
        succeeds("promtool", "test", "rules", "rules_test.yaml", cwd=directory)
        (pathlib.Path(directory) / "prometheus.yaml").write_text((DEPLOY / "docker/prometheus.yaml").read_text())
        succeeds("promtool", "check", "config", "prometheus.yaml", cwd=directory)


NAME = re.compile(r"\b((?:powertrace|kepler)_[a-z0-9_]+)\b")


def check_metric_names():
    succeeds(sys.executable, DEPLOY / "grafana/dashboards.py", "--check")
    described = run(POWERTRACE, "serve", "--describe-metrics")
    if described.returncode != 0:
        skipped("metric names: this program has no `serve --describe-metrics`")
        return
    exported = set(NAME.findall(described.stdout))
    check(len(exported) > 50, f"only {len(exported)} metrics are described")
    reference = (ROOT / "docs/metrics.md").read_text()
    check(reference.endswith(described.stdout), "docs/metrics.md: replace all from the first table's title on by the "
          "output of `powertrace serve --describe-metrics`")
    named = {}
    for path in sorted((CHART / "files/dashboards").glob("*.json")):
        for expr in re.findall(r'"(?:expr|query|definition)": "((?:[^"\\]|\\.)*)"', path.read_text()):
            named.setdefault(path.name, set()).update(NAME.findall(expr))
    for group in yaml.safe_load((CHART / "files/rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            # Names of recording rules have colons.
            expr = re.sub(r"[a-z_0-9]+:[a-z_0-9:]+", "", rule["expr"])
            named.setdefault("rules.yaml", set()).update(NAME.findall(expr))
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        words = set(NAME.findall(path.read_text()))
        named[path.name] = {word for word in words if word.endswith(("_total", "_watts", "_info", "_ratio", "_labels"))}
    for name, metrics in named.items():
        # "kepler_container_joules_total{...}" is a metric, "powertrace_<level>_joules_total" a pattern.
        unknown = sorted(metrics - exported)
        check(not unknown, f"{name}: not exported: {', '.join(unknown)}")
    check(named["node.json"] and named["rules.yaml"], "no metric found in dashboards or rules")


def check_unit():
    if not shutil.which("systemd-analyze"):
        skipped("units: no systemd-analyze (package systemd)")
        return
    with tempfile.TemporaryDirectory() as directory:
        for unit in sorted((DEPLOY / "systemd").glob("*.service")):
            path = pathlib.Path(directory) / unit.name
            # What it documents and starts is not installed here.
            text = re.sub(r"^Documentation=.*\n", "", unit.read_text(), flags=re.M)
            path.write_text(text.replace("/usr/sbin/powertrace", POWERTRACE))
        for path in sorted(pathlib.Path(directory).glob("*.service")):
            done = run("systemd-analyze", "verify", path)
            check(done.returncode == 0 and not done.stderr.strip(), f"{path.name}: {done.stderr}")
            done = run("systemd-analyze", "security", "--offline=yes", "--threshold=30", path)
            check(done.returncode == 0, f"{path.name} is exposed: {done.stdout.strip().splitlines()[-1:]}")
    check_config((DEPLOY / "systemd/powertrace.yaml").read_text(), "deploy/systemd")


def main():
    check_manifests()
    check_compose()
    check_rules()
    check_metric_names()
    check_unit()
    if helm := find_helm():
        check_chart(helm)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
