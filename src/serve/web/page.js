// SPDX-License-Identifier: Apache-2.0
// What the page shows, from /api/v1. Names come from other people's processes: they are only ever
// set as text.
"use strict";

const kSnapshotMs = 2000;
const kHistoryMs = 10000;
const kRows = 12;

const byId = (id) => document.getElementById(id);

function setText(id, text) {
  byId(id).textContent = text;
}

function watts(value) {
  if (value === null || value === undefined) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits) + " W";
}

function percent(share) {
  return (share * 100).toFixed(share >= 0.0995 ? 0 : 1) + " %";
}

function row(name, detail, numbers) {
  const made = document.createElement("tr");
  const head = cell("th", name);
  head.scope = "row";
  head.title = detail ? name + " – " + detail : name;
  if (detail) head.append(cell("span", detail, "detail"));
  made.append(head, ...numbers);
  return made;
}

function fill(id, rows, empty) {
  if (rows.length === 0) {
    const only = cell("td", empty);
    only.colSpan = 3;
    const made = document.createElement("tr");
    made.append(only);
    rows = [made];
  }
  byId(id).replaceChildren(...rows);
}

function showSource(snapshot) {
  const source = snapshot.source;
  const line = byId("source");
  if (source.measured) {
    line.className = "";
    line.textContent = "Measured by " + source.name;
  } else {
    line.className = "estimate";
    line.textContent = "Estimate, not measured: source " + source.name + ", expected error ±" +
      percent(source.expected_error);
  }
}

function showNode(snapshot) {
  const seconds = snapshot.duration_s;
  const total = snapshot.total;
  const idle = total.idle / seconds;
  const unattributed = total.unattributed / seconds;
  const active = total.attributed / seconds;
  setText("total", watts(total.watts).replace(" W", ""));
  setText("active", watts(active));
  setText("idle", watts(idle));
  setText("unattributed", watts(unattributed));
  byId("unattributed-item").hidden = unattributed < 0.005;
  byId("idle-note").hidden = snapshot.idle_known;
  const whole = Math.max(total.watts, 1e-9);
  byId("active-bar").style.width = Math.min(100, active / whole * 100) + "%";
  byId("idle-bar").style.width = Math.min(100, idle / whole * 100) + "%";
  fill("zones", snapshot.zones.map((zone) => row(zone.zone, zone.error || "", [
    cell("td", zone.status === "ok" ? watts(zone.watts) : zone.status, "number"),
    cell("td", zone.in_total ? "yes" : "no"),
  ])), "No zones");
}

const kNames = {
  idle: "[idle]", kernel: "[kernel]", powertrace: "[powertrace]", others: "[others]",
  unattributed: "[unattributed]",
};

function showRows(id, snapshot, detailOf, empty) {
  const rows = snapshot.rows
    .filter((entry) => entry.kind !== "idle" && entry.kind !== "unattributed")
    .slice(0, kRows)
    .map((entry) => row(kNames[entry.kind] || entry.comm || entry.id, detailOf(entry), [
      cell("td", watts(entry.watts), "number"),
      cell("td", (entry.cpu_seconds / snapshot.duration_s).toFixed(2), "number"),
    ]));
  fill(id, rows, empty);
}

function showSelf(snapshot) {
  const self = snapshot.self;
  const lost = self.lost.slots + self.lost.events + self.lost.switches;
  setText("self", "powertrace itself: " + percent(self.cpu_seconds / snapshot.duration_s) +
    " of a CPU, " + watts(self.joules / snapshot.duration_s) + ", " +
    Math.round(self.rss_bytes / 1048576) + " MiB, " + self.bpf_ns_per_switch.toFixed(0) +
    " ns a context switch; " + (lost === 0 ? "nothing lost" : lost + " slices or events lost") +
    " in the last " + snapshot.duration_s.toFixed(1) + " s. Model " + snapshot.model +
    ", idle policy " + snapshot.idle_policy + ".");
}

function area(points, bottom, top, x, y) {
  if (points.length === 0) return "";
  const up = points.map((p, i) => x(i) + "," + y(top(p)));
  const down = points.map((p, i) => x(i) + "," + y(bottom(p))).reverse();
  return "M" + up.concat(down).join("L") + "Z";
}

function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function showHistory(history) {
  setText("node", history.node_name);
  const points = history.points;
  if (points.length < 2) {
    setText("chart-text", "No history yet: the first points come after twenty seconds");
    setText("from", "No history yet");
    return;
  }
  const peak = Math.max(...points.map((p) => p.watts), 1);
  const mean = points.reduce((sum, p) => sum + p.watts, 0) / points.length;
  const x = (i) => (i / (points.length - 1) * 720).toFixed(1);
  const y = (value) => (200 - value / peak * 190).toFixed(1);
  byId("idle-area").setAttribute("d", area(points, () => 0, (p) => p.idle_watts, x, y));
  byId("active-area").setAttribute("d", area(points, (p) => p.idle_watts, (p) => p.watts, x, y));
  byId("grid").replaceChildren(...[0.25, 0.5, 0.75, 1].map((part) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("x1", 0);
    line.setAttribute("x2", 720);
    line.setAttribute("y1", y(peak * part));
    line.setAttribute("y2", y(peak * part));
    return line;
  }));
  const from = clock(points[0].end);
  const to = clock(points[points.length - 1].end);
  setText("from", from);
  setText("to", to);
  setText("peak", "mean " + watts(mean) + ", peak " + watts(peak));
  setText("chart-text", "Node power from " + from + " to " + to + ": mean " + watts(mean) +
    ", peak " + watts(peak) + ", stacked from idle and active power");
}

async function every(ms, work) {
  for (;;) {
    if (!document.hidden) {
      try {
        await work();
        byId("trouble").hidden = true;
      } catch (error) {
        byId("trouble").textContent = "No fresh data since " + new Date().toLocaleTimeString() +
          ": " + error.message;
        byId("trouble").hidden = false;
      }
    }
    await new Promise((done) => setTimeout(done, ms));
  }
}

every(kSnapshotMs, async () => {
  const [containers, processes] = await Promise.all([
    get("api/v1/snapshot?by=container&limit=" + (kRows + 2)),
    get("api/v1/snapshot?by=process&limit=" + (kRows + 2)),
  ]);
  showSource(processes);
  showNode(processes);
  showSelf(processes);
  showRows("containers", containers, (entry) => entry.pod_name || entry.container_id || "",
    "No containers");
  showRows("processes", processes, (entry) => entry.exe || entry.cgroup || "", "Nothing ran");
});
every(kHistoryMs, async () => showHistory(await get("api/v1/power/history")));
