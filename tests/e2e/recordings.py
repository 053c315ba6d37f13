# SPDX-License-Identifier: Apache-2.0
"""What tests of recordings share: the program, its reports, and sums that must be exact."""
import gzip
import json
import os
import subprocess

from checks import check


POWERTRACE = os.environ["POWERTRACE"]
LEVELS = ("process", "thread", "comm", "cgroup", "container", "pod")
IDLE_POLICIES = ("separate", "proportional", "even", "none")
FORMATS = ("folded", "flamegraph", "pprof", "speedscope", "firefox", "chrome", "csv", "json")


def run(*args, stdin=None, timeout=120):
    return subprocess.run([POWERTRACE, *args], capture_output=True, input=stdin, timeout=timeout, check=False)


def report(path, *args):
    done = run("report", str(path), "--json", *args)
    check(done.returncode == 0, f"report {args}", done.stderr)
    return json.loads(done.stdout)


def models(path):
    """Those that the recording can be reported with: cycles take hardware counters."""
    return ["time"] + (["cycles"] if run("report", str(path), "--model", "cycles").returncode == 0 else [])


def nj(joules):
    return round(joules * 1e9)


def conserved(data):
    """Whether rows add up to the zones, each kind for itself, to the nanojoule."""
    zones = {}
    for zone in data["zones"]:
        zones[zone["kind"]] = zones.get(zone["kind"], 0) + nj(zone["joules"])
    for kind, energy in zones.items():
        if sum(nj(row["zones"][kind]) for row in data["rows"]) != energy:
            return False
    return sum(nj(row["joules"]) for row in data["rows"]) == nj(data["total"]["joules"])


def check_conservation(path):
    """At every level, under every model and idle policy; the energies, of which there should be one."""
    totals = set()
    for model in models(path):
        for idle in IDLE_POLICIES:
            for by in LEVELS:
                data = report(path, "--model", model, "--idle", idle, "--by", by)
                check(conserved(data), f"{model} {idle} {by} adds up")
                totals.add(nj(data["total"]["joules"]))
    check(len(totals) == 1, "the energy does not depend on how it is divided", totals)
    return totals


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def numbers(packed):
    at, result = 0, []
    while at < len(packed):
        value, at = varint(packed, at)
        result.append(value)
    return result


def pprof_energy(path):
    """A decoder of profile.proto of its own: the microjoules of all samples, and the strings."""
    energy, strings = 0, []
    for field, value in fields(gzip.decompress(path.read_bytes())):
        if field == 2:
            energy += numbers(dict(fields(value))[2])[2]
        elif field == 6:
            strings.append(value.decode())
    return energy, strings


def folded_energy(path):
    return sum(int(line.rsplit(" ", 1)[1]) for line in path.read_text().splitlines())
