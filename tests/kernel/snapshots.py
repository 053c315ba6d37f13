# SPDX-License-Identifier: Apache-2.0
"""What powertrace printed in a guest, and the invariants that every snapshot keeps."""
import json

NANO = 10**9


def nano(value):
    """Joules or seconds as an integer, so that sums are exact."""
    return round(value * NANO)


def load(path):
    """One snapshot or more: nothing can be said about an empty trace."""
    with open(path, encoding="utf-8") as file:
        trace = [json.loads(line) for line in file]
    if not trace:
        raise ValueError(f"{path} holds no snapshot")
    return trace


def facts(directory):
    """KEY VALUE lines that the cases wrote, as integers."""
    with open(f"{directory}/facts", encoding="utf-8") as file:
        return {key: int(value) for key, value in (line.split() for line in file)}


def total_is_exact(snapshot):
    """Rows = total = zones that are in the total, to the nanojoule."""
    rows = sum(nano(row["joules"]) for row in snapshot["rows"])
    zones = sum(nano(zone["joules"]) for zone in snapshot["zones"] if zone["in_total"])
    total = nano(snapshot["total"]["joules"])
    return rows == total == zones, f"rows {rows} nJ, total {total} nJ, zones {zones} nJ"


def parts_are_exact(snapshot):
    """A zone kind of all rows adds up to the zones of that kind."""
    kinds = {}
    for zone in snapshot["zones"]:
        if zone["in_total"]:
            kinds[zone["kind"]] = kinds.get(zone["kind"], 0) + nano(zone["joules"])
    for kind, joules in kinds.items():
        rows = sum(nano((row.get("zones") or {}).get(kind) or 0) for row in snapshot["rows"])
        if rows != joules:
            return False, f"{kind}: rows {rows} nJ, zones {joules} nJ"
    return True, ""


def rows_where(snapshots, **wanted):
    return [
        row
        for snapshot in snapshots
        for row in snapshot["rows"]
        if all(row.get(key) == value for key, value in wanted.items())
    ]


def cpu_seconds(snapshots, **wanted):
    return sum(row["cpu_seconds"] or 0 for row in rows_where(snapshots, **wanted))


def zone_joules(snapshots, name):
    return sum(zone["joules"] for snapshot in snapshots for zone in snapshot["zones"] if zone["zone"] == name)


def duration(snapshots):
    return sum(snapshot["duration_s"] for snapshot in snapshots)
