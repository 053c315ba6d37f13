#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the Grafana dashboards into the chart, from which everybody takes them.

usage: deploy/grafana/dashboards.py [--check]
"""
import json
import pathlib
import sys

TARGET = pathlib.Path(__file__).parents[1] / "helm/powertrace/files/dashboards"
WIDTH = 24
# What adds up to the node; the other zones are parts of these or contain them.
TOTAL = 'zone=~"package|dram|gpu"'
NODE = 'instance=~"$instance"'
POD = f'{NODE},pod_namespace=~"$namespace"'


def rate(metric, labels, window="$__rate_interval"):
    return f"rate({metric}{{{labels}}}[{window}])"


def increase(metric, labels):
    return f"increase({metric}{{{labels}}}[$__range])"


def target(expr, legend="", instant=False):
    return {"expr": expr, "legendFormat": legend or "__auto", "range": not instant, "instant": instant,
            "format": "table" if instant else "time_series", "datasource": {"type": "prometheus", "uid": "$datasource"}}


def panel(kind, title, targets, unit, width, height=8, stack=False, description="", options=None):
    defaults = {"unit": unit, "min": 0}
    if kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 60 if stack else 10, "lineWidth": 1, "showPoints": "never",
                              "stacking": {"mode": "normal" if stack else "none"}}
    return {"type": kind, "title": title, "description": description, "targets": targets,
            "datasource": {"type": "prometheus", "uid": "$datasource"},
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options or {},
            "gridPos": {"w": width, "h": height}}


def series(title, targets, unit, width=12, stack=False, description=""):
    return panel("timeseries", title, targets, unit, width, 8, stack, description,
                 {"legend": {"displayMode": "table", "placement": "right", "calcs": ["mean", "max"]},
                  "tooltip": {"mode": "multi", "sort": "desc"}})


def stat(title, expr, unit, width=4, description=""):
    return panel("stat", title, [target(expr)], unit, width, 4, False, description,
                 {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area", "colorMode": "value"})


def table(title, expr, unit, width=12, description=""):
    return panel("table", title, [target(expr, instant=True)], unit, width, 8, False, description,
                 {"sortBy": [{"displayName": "Value", "desc": True}]})


def query_variable(name, metric, label):
    query = f"label_values({metric}, {label})"
    return {"name": name, "type": "query", "query": {"query": query, "refId": name}, "definition": query,
            "datasource": {"type": "prometheus", "uid": "$datasource"}, "refresh": 2, "includeAll": True,
            "multi": True, "allValue": ".*", "sort": 1, "current": {"text": "All", "value": "$__all"}}


def text_variable(name, label, value):
    return {"name": name, "label": label, "type": "textbox", "query": value,
            "current": {"text": value, "value": value}}


INSTANCE = query_variable("instance", "powertrace_node_joules_total", "instance")
NAMESPACE = query_variable("namespace", "powertrace_pod_joules_total", "pod_namespace")


def dashboard(uid, title, variables, panels):
    x = y = row = 0
    for number, entry in enumerate(panels):
        place = entry["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, row = 0, y + row, 0
        place.update(x=x, y=y)
        x, row = x + place["w"], max(row, place["h"])
        entry["id"] = number + 1
        for index, query in enumerate(entry["targets"]):
            query["refId"] = chr(ord("A") + index)
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "refresh": 1}
    return {"uid": uid, "title": title, "tags": ["powertrace", "energy"], "schemaVersion": 38, "version": 1,
            "editable": True, "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "timezone": "browser",
            "templating": {"list": [source, *variables]}, "annotations": {"list": []},
            "links": [{"title": "powertrace", "type": "dashboards", "tags": ["powertrace"], "asDropdown": True}],
            "panels": panels}


def node():
    joules = rate("powertrace_node_joules_total", NODE + ',in_total="true"')
    active = rate("powertrace_node_active_joules_total", f"{NODE},{TOTAL}")
    idle = rate("powertrace_node_idle_joules_total", f"{NODE},{TOTAL}")
    nobody = rate("powertrace_unattributed_joules_total", f"{NODE},{TOTAL}")
    used = rate("powertrace_node_cpu_seconds_total", NODE)
    capacity = rate("powertrace_node_cpu_capacity_seconds_total", NODE)
    return dashboard("powertrace-node", "powertrace / Nodes", [INSTANCE], [
        stat("Power", f"sum({joules})", "watt"),
        stat("Active", f"sum({active})", "watt", description="Attributed to workloads"),
        stat("Idle", f"sum({idle})", "watt", description="What the nodes would use at rest"),
        stat("CPU use", f"sum({used}) / sum({capacity})", "percentunit"),
        stat("Energy of the time shown", "sum(" + increase("powertrace_node_joules_total", NODE + ',in_total="true"')
             + ") / 3.6e6", "kwatth"),
        stat("Nodes with estimates", f'count(powertrace_source_info{{{NODE},measured="false"}}) or vector(0)', "none",
             description="Their energy comes from a formula, not from a meter"),
        series("Power by node", [target(f"sum by (instance) ({joules})", "{{instance}}")], "watt"),
        series("Power by zone", [target("sum by (zone) (" + rate("powertrace_node_joules_total", NODE) + ")", "{{zone}}")],
               "watt", description="core and uncore are parts of package; psys and platform contain it"),
        series("Who used it", [target(f"sum({active})", "active"), target(f"sum({idle})", "idle"),
                               target(f"sum({nobody})", "unattributed")], "watt", stack=True),
        series("CPU use by node", [target(f"sum by (instance) ({used}) / sum by (instance) ({capacity})", "{{instance}}")],
               "percentunit"),
        table("Sources", f"powertrace_source_info{{{NODE}}}", "none"),
        table("Zones that cannot be read", f"powertrace_zone_up{{{NODE}}} == 0", "none"),
    ])


def workloads():
    pod = rate("powertrace_pod_joules_total", f"{POD},{TOTAL}")
    container = rate("powertrace_container_joules_total", f"{POD},{TOTAL}")
    everybody = rate("powertrace_container_joules_total", f"{NODE},{TOTAL}")
    cgroup = rate("powertrace_cgroup_joules_total", f"{NODE},{TOTAL}")
    machine = rate("powertrace_vm_joules_total", f"{NODE},{TOTAL}")
    cpu = rate("powertrace_pod_cpu_seconds_total", POD)
    instructions = rate("powertrace_pod_instructions_total", POD)
    owner = "pod_namespace, owner_kind, owner_name"
    return dashboard("powertrace-workloads", "powertrace / Workloads", [INSTANCE, NAMESPACE,
                                                                       text_variable("top", "Top", "10")], [
        series("Namespaces", [target(f"topk($top, sum by (pod_namespace) ({pod}))", "{{pod_namespace}}")], "watt", stack=True),
        series("Owners", [target(f"topk($top, sum by ({owner}) ({pod}))", "{{pod_namespace}}/{{owner_kind}}/{{owner_name}}")],
               "watt"),
        series("Pods", [target(f"topk($top, sum by (pod_namespace, pod_name) ({pod}))", "{{pod_namespace}}/{{pod_name}}")], "watt"),
        series("Containers of pods",
               [target(f"topk($top, sum by (pod_namespace, pod_name, container_name) ({container}))",
                       "{{pod_namespace}}/{{pod_name}}/{{container_name}}")], "watt"),
        series("Containers, in pods or not",
               [target(f"topk($top, sum by (instance, container_id, container_name, runtime) ({everybody}))",
                       "{{container_name}} {{container_id}} {{runtime}}")], "watt",
               description="[others] is what runs in no container"),
        series("Control groups", [target(f"topk($top, sum by (instance, cgroup) ({cgroup}))", "{{cgroup}}")], "watt"),
        series("Virtual machines", [target(f"topk($top, sum by (vm_name, vm_id) ({machine}))", "{{vm_name}} {{vm_id}}")], "watt"),
        series("Watts per busy CPU", [target(f"topk($top, sum by (pod_namespace, pod_name) ({pod}) / "
                                             f"sum by (pod_namespace, pod_name) ({cpu}))",
                                             "{{pod_namespace}}/{{pod_name}}")], "watt",
               description="Energy per second of CPU time: work that is dear to run"),
        series("Instructions per joule", [target(f"topk($top, sum by (pod_namespace, pod_name) ({instructions}) / "
                                                 f"sum by (pod_namespace, pod_name) ({pod}))",
                                                 "{{pod_namespace}}/{{pod_name}}")], "short",
               description="Empty where the processor's counters cannot be read"),
        table("Energy of the time shown, by pod",
              "topk(50, sum by (pod_namespace, pod_name, owner_kind, owner_name) ("
              + increase("powertrace_pod_joules_total", f"{POD},{TOTAL}") + "))", "joule"),
    ])


def cost():
    energy = increase("powertrace_pod_joules_total", f"{POD},{TOTAL}")
    node_energy = increase("powertrace_node_joules_total", NODE + ',in_total="true"')
    kwh = f"sum by (pod_namespace) ({energy}) / 3.6e6 * $pue"
    all_kwh = f"sum({node_energy}) / 3.6e6 * $pue"
    watts = rate("powertrace_pod_joules_total", f"{POD},{TOTAL}")
    owner = "pod_namespace, owner_kind, owner_name"
    return dashboard("powertrace-cost", "powertrace / Energy cost and carbon", [
        INSTANCE, NAMESPACE, text_variable("price", "Price per kWh", "0.25"),
        text_variable("carbon", "g CO2e per kWh", "350"), text_variable("pue", "PUE", "1.2")], [
        stat("Energy", all_kwh, "kwatth", 6, "Of the time shown, with the data centre's overhead (PUE)"),
        stat("Cost", f"{all_kwh} * $price", "none", 6, "In the currency of the price"),
        stat("Carbon", f"{all_kwh} * $carbon", "massg", 6),
        stat("Cost a month at this power", "sum(" + rate("powertrace_node_joules_total", NODE + ',in_total="true"')
             + ") * 730 / 1000 * $pue * $price", "none", 6),
        table("Energy by namespace (kWh)", kwh, "kwatth", 8),
        table("Cost by namespace", f"{kwh} * $price", "none", 8),
        table("Carbon by namespace", f"{kwh} * $carbon", "massg", 8),
        series("Cost an hour by namespace", [target(f"sum by (pod_namespace) ({watts}) / 1000 * $pue * $price",
                                                    "{{pod_namespace}}")], "none", stack=True),
        series("Carbon an hour by namespace", [target(f"sum by (pod_namespace) ({watts}) / 1000 * $pue * $carbon",
                                                      "{{pod_namespace}}")], "massg", stack=True),
        table("Cost by owner", f"topk(50, sum by ({owner}) ({energy}) / 3.6e6 * $pue * $price)", "none", 24,
              description="Active energy only: the share of idle energy is on no workload"),
    ])


def own():
    requests = rate("powertrace_http_requests_total", NODE)
    return dashboard("powertrace-self", "powertrace / Itself", [INSTANCE], [
        stat("Agents up", f"count(powertrace_build_info{{{NODE}}})", "none"),
        stat("CPU", "sum(" + rate("powertrace_self_cpu_seconds_total", NODE) + ")", "percentunit", description="Of one CPU"),
        stat("Power", "sum(" + rate("powertrace_self_joules_total", NODE) + ")", "watt"),
        stat("Memory", f'max(process_resident_memory_bytes{{{NODE}}} and on (instance) powertrace_build_info)', "bytes"),
        stat("Lost a second", "sum(" + rate("powertrace_lost_total", NODE) + ")", "none"),
        stat("Age of the page", f"max(time() - powertrace_snapshot_timestamp_seconds{{{NODE}}})", "s"),
        series("CPU by node", [target("sum by (instance) (" + rate("powertrace_self_cpu_seconds_total", NODE) + ")",
                                      "{{instance}}")], "percentunit"),
        series("Lost, by kind", [target("sum by (kind) (" + rate("powertrace_lost_total", NODE) + ")", "{{kind}}")], "none"),
        series("Context switches a second", [target("sum by (instance) (" + rate("powertrace_switches_total", NODE) + ")",
                                                    "{{instance}}")], "none"),
        series("Time at a context switch", [target(f"powertrace_switch_cost_seconds{{{NODE}}}", "{{instance}}")], "s"),
        series("Counter readings a second", [target("sum by (instance) (" + rate("powertrace_pmu_reads_total", NODE) + ")",
                                                    "{{instance}}")], "none"),
        series("Workloads with series", [target(f"sum by (level, state) (powertrace_workloads{{{NODE}}})",
                                                "{{level}} {{state}}")], "none"),
        series("HTTP requests a second", [target(f"sum by (code) ({requests})", "{{code}}")], "none"),
        series("Time to make a page", [target("sum by (instance) (" + rate("powertrace_page_seconds_total", NODE)
                                              + ") / sum by (instance) (" + rate("powertrace_pages_total", NODE) + ")",
                                              "{{instance}}")], "s"),
        series("Zones that failed", [target("sum by (instance, zone) (" + rate("powertrace_zone_failures_total", NODE) + ")",
                                            "{{instance}} {{zone}}")], "none"),
        series("Snapshots and windows a second",
               [target("sum by (instance) (" + rate("powertrace_snapshots_total", NODE) + ")", "snapshots {{instance}}"),
                target("sum by (instance) (" + rate("powertrace_windows_total", NODE) + ")", "windows {{instance}}")], "none"),
    ])


def caps():
    zone = f'{NODE},constraint="long_term"'
    limit = f"powertrace_powercap_limit_watts{{{zone}}}"
    found = f"powertrace_powercap_original_watts{{{zone}}}"
    workload = f'{NODE},workload=~"$workload"'
    both = "{{workload}}, {{state}}"
    enforcing = f'powertrace_powercap_mode{{{NODE},mode="enforce"}}'
    return dashboard("powertrace-caps", "powertrace / Power limits", [
        query_variable("instance", "powertrace_powercap_limit_watts", "instance"),
        query_variable("workload", "powertrace_powercap_workload_watts", "workload")], [
        stat("Nodes that enforce", f"sum({enforcing})", "none"),
        stat("Nodes limited now", f"count(sum by (instance) ({limit}) < sum by (instance) ({found}) - 1) or vector(0)", "none"),
        stat("Allowed", f"sum({limit})", "watt", description="Sum of the long-term limits in force"),
        stat("As found", f"sum({found})", "watt"),
        stat("Age of the market data", f"max(powertrace_market_data_age_seconds{{{NODE}}})", "s"),
        stat("Zones that take no limit", f"count(powertrace_powercap_zone_usable{{{NODE}}} == 0) or vector(0)", "none"),
        series("Limit by node", [target(f"sum by (instance) ({limit})", "{{instance}} limit"),
                                 target(f"powertrace_powercap_decision_watts{{{NODE}}}", "{{instance}} wanted by {{policy}}"),
                                 target(f"sum by (instance) ({found})", "{{instance}} as found")], "watt"),
        series("What the market says", [target(f"powertrace_market_value{{{NODE}}}", "{{quantity}} {{area}} ({{unit}})")], "none",
               description="Price, carbon or volume of the present slot"),
        series("Power of workloads, free and limited", [target(f"powertrace_powercap_workload_watts{{{workload}}}", both)], "watt",
               description="Means while the node was free and while it was limited; takes cap.profile"),
        series("CPUs kept busy, free and limited", [target(f"powertrace_powercap_workload_cpus{{{workload}}}", both)], "none"),
        series("Speed, free and limited", [target(f"powertrace_powercap_workload_gigahertz{{{workload}}} > 0", both)], "none",
               description="GHz while it ran; empty where the processor's cycles cannot be counted"),
        series("Waiting for a CPU, free and limited", [target(f"powertrace_powercap_workload_stalled_ratio{{{workload}}}", both)],
               "percentunit", description="Pressure stall information: share of the time in which somebody waited"),
        table("Phase", f"powertrace_powercap_phase{{{NODE}}} == 1", "none", 8, "following, holding the last decision, or released"),
        table("Zones", f"powertrace_powercap_zone_usable{{{NODE}}}", "none", 8),
        table("Zones where the limit has no effect", f"powertrace_powercap_effective{{{NODE}}} == 0", "none", 8),
        series("Writes, other writers, failures a second",
               [target("sum by (instance) (" + rate("powertrace_powercap_writes_total", NODE) + ")", "{{instance}} writes"),
                target("sum by (instance) (" + rate("powertrace_powercap_contention_total", NODE) + ")", "{{instance}} others'"),
                target("sum by (instance, reason) (" + rate("powertrace_powercap_errors_total", NODE) + ")",
                       "{{instance}} {{reason}}")], "none"),
        series("Limits put back", [target("sum by (instance, trigger) (" + increase("powertrace_powercap_restores_total", NODE) + ")",
                                          "{{instance}} {{trigger}}")], "none"),
    ])


def main():
    stale = []
    for name, content in {"node": node(), "workloads": workloads(), "cost": cost(), "self": own(), "caps": caps()}.items():
        path = TARGET / f"{name}.json"
        text = json.dumps(content, indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        print(f"{', '.join(stale)}: not what deploy/grafana/dashboards.py writes: run it")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
