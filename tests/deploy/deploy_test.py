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
failures = []
checks = 0


def check(condition, message):
    global checks
    checks += 1
    if not condition:
        failures.append(message)
        print(f"FAILED: {message}")
    return condition


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
    return [document["spec"]["template"]["spec"]] if document["kind"] == "DaemonSet" else []


def check_least_privilege(documents, what):
    for document in documents:
        for pod in pods_of(document):
            check(not pod.get("hostNetwork") and not pod.get("hostPID") and not pod.get("hostIPC"),
                  f"{what}: {document['kind']} shares a namespace of the host")
            host = {volume["name"] for volume in pod.get("volumes", []) if "hostPath" in volume}
            for container in pod["containers"]:
                context = container["securityContext"]
                check(not context.get("privileged"), f"{what}: a privileged container")
                check(context["allowPrivilegeEscalation"] is False, f"{what}: privileges may grow")
                check(context["readOnlyRootFilesystem"] is True, f"{what}: the root file system is writable")
                check(context["capabilities"]["drop"] == ["ALL"], f"{what}: capabilities are kept")
                check(set(context["capabilities"].get("add", [])) <= {"BPF", "PERFMON", "DAC_READ_SEARCH"},
                      f"{what}: more capabilities than documented")
                for mount in container.get("volumeMounts", []):
                    check(mount["name"] not in host or mount.get("readOnly") is True,
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
        config = next(d for d in documents if d["kind"] == "ConfigMap" and "powertrace.yaml" in d["data"])
        check_config(config["data"]["powertrace.yaml"], f"chart, {name}")
        roles = [rule for d in documents if d["kind"] == "ClusterRole" for rule in d["rules"]]
        expected = {"kubelet": [(["nodes/pods"], ["get"])], "no names": []}.get(name, [(["pods"], ["list", "watch"])])
        check([(rule["resources"], rule["verbs"]) for rule in roles] == expected, f"chart, {name}: roles {roles}")
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
                  "powerSimulation.defaultProfile=none", "config.serve.listen=9102"):
        done = run(helm, "template", "pt", CHART, "--set", wrong)
        check(done.returncode != 0 and wrong.split("=")[0].split(".")[-1] in done.stderr,
              f"--set {wrong} is accepted or not explained: {done.stderr[-300:]}")
    done = run(DEPLOY / "kubernetes/render.sh", "--check", env={**os.environ, "HELM": helm})
    check(done.returncode == 0, f"deploy/kubernetes: {done.stdout[-1500:]}{done.stderr}")


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
    for path in ("namespace.yaml", "powertrace.yaml"):
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


def check_compose():
    compose = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text())["services"]["powertrace"]
    check(compose["cap_drop"] == ["ALL"] and set(compose["cap_add"]) == {"BPF", "PERFMON", "DAC_READ_SEARCH"},
          "compose: capabilities")
    check(all(volume.endswith(":ro") for volume in compose["volumes"]), "compose: a mount is writable")


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
    # `cap` has a page of its own.
    exported |= set(NAME.findall((ROOT / "src/capping/status_text.cpp").read_text()))
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
    unit = (DEPLOY / "systemd/powertrace.service").read_text()
    if not shutil.which("systemd-analyze"):
        skipped("powertrace.service: no systemd-analyze (package systemd)")
        return
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "powertrace.service"
        # What it documents and starts is not installed here.
        path.write_text(re.sub(r"^Documentation=.*\n", "", unit, flags=re.M).replace("/usr/sbin/powertrace", POWERTRACE))
        done = run("systemd-analyze", "verify", path)
        check(done.returncode == 0 and not done.stderr.strip(), f"powertrace.service: {done.stderr}")
        done = run("systemd-analyze", "security", "--offline=yes", "--threshold=30", path)
        check(done.returncode == 0, f"powertrace.service is exposed: {done.stdout.strip().splitlines()[-1:]}")
    check_config((DEPLOY / "systemd/powertrace.yaml").read_text(), "deploy/systemd")


def main():
    check_manifests()
    check_compose()
    check_rules()
    check_metric_names()
    check_unit()
    if helm := find_helm():
        check_chart(helm)
    print(f"{checks} checks, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
