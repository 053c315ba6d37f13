// SPDX-License-Identifier: Apache-2.0
// Cost and carbon of the last day, from /api/v1/cost. Names come from other people's processes: they
// are only ever set as text.
"use strict";

const kEveryMs = 60000;
const kRows = 15;
const kSvg = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

function setText(id, text) {
  byId(id).textContent = text;
}

function money(value, currency) {
  if (value === null || value === undefined) return "–";
  const small = value !== 0 && Math.abs(value) < 0.1;
  return value.toFixed(small ? 4 : 2) + " " + currency;
}

function grams(value) {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 1000 ? (value / 1000).toFixed(2) + " kg" : value.toFixed(value < 10 ? 2 : 0) + " g";
}

function kwh(value) {
  return (value >= 1 ? value.toFixed(2) : value.toFixed(4)) + " kWh";
}

function nameOf(row) {
  if (row.pod_name) return (row.namespace ? row.namespace + "/" : "") + row.pod_name +
    (row.container_name ? "/" + row.container_name : "");
  return row.container_name || (row.id.length === 64 ? row.id.slice(0, 12) : row.id);
}

function fill(id, report) {
  const rows = report.rows.slice(0, kRows).map((row) => {
    const made = document.createElement("tr");
    const head = cell("th", nameOf(row));
    head.scope = "row";
    head.title = row.id;
    const cost = row.cost === null ? kwh(row.energy_kwh) : money(row.cost, report.currency);
    made.append(head, cell("td", cost, "number"), cell("td", grams(row.carbon_g), "number"));
    return made;
  });
  if (rows.length === 0) {
    const made = document.createElement("tr");
    const only = cell("td", "Nothing was measured.");
    only.colSpan = 3;
    made.append(only);
    rows.push(made);
  }
  byId(id).replaceChildren(...rows);
}

function shape(kind, attributes) {
  const made = document.createElementNS(kSvg, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Bars of cost (or of energy, without prices), the price (or the intensity) as a stepped line.
function draw(report) {
  const priced = report.total.electricity !== null;
  const bars = report.buckets.map((bucket) => (priced ? bucket.cost : bucket.energy_kwh));
  const line = report.buckets.map((bucket) => (priced ? bucket.price_per_kwh : bucket.carbon_g_per_kwh));
  const high = Math.max(...bars, 0), low = Math.min(...bars, 0);
  const scale = high > low ? 190 / (high - low) : 0;
  const zero = 195 + low * scale;
  const width = 720 / Math.max(bars.length, 1);
  const shapes = bars.map((value, i) => shape("rect", {
    x: i * width + 1, width: Math.max(width - 2, 1), y: Math.min(zero, zero - value * scale),
    height: Math.max(Math.abs(value) * scale, 0.5), class: report.buckets[i].coverage > 0 ? "" : "missing",
  }));
  shapes.push(shape("line", { x1: 0, x2: 720, y1: zero, y2: zero }));
  byId("bars").replaceChildren(...shapes);

  const known = line.filter((value) => value !== null);
  const top = Math.max(...known, 0), bottom = Math.min(...known, 0);
  const step = top > bottom ? 190 / (top - bottom) : 0;
  let path = "", open = false;
  line.forEach((value, i) => {
    if (value === null) { open = false; return; }
    const y = 195 + bottom * step - value * step;
    path += (open ? "L" : "M") + i * width + " " + y + "L" + (i + 1) * width + " " + y;
    open = true;
  });
  byId("curve").setAttribute("d", path);
  setText("bar-name", priced ? "Cost" : "Energy");
  setText("curve-name", priced ? "Price per kWh" : "Carbon intensity");
  setText("peak", "highest hour " + (priced ? money(high, report.currency) : kwh(high)));
  const clock = (text) => new Date(text).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
  setText("from", clock(report.start));
  setText("to", clock(report.end));
  setText("chart-text", bars.length + " hours, together " + (priced ? money(report.total.cost, report.currency) : kwh(report.total.energy_kwh)));
}

function summary(report) {
  const total = report.total, method = report.method;
  setText("cost", money(total.cost, report.currency));
  setText("energy", kwh(total.energy_kwh));
  setText("carbon", grams(total.carbon_g));
  setText("price", money(total.price_per_kwh, report.currency));
  setText("coverage", (report.coverage * 100).toFixed(1) + " % of the time was measured" +
    (report.measured ? "" : "; the energy is an estimate") + ".");
  const parts = ["PUE " + method.pue];
  if (method.price_source) parts.push("price: " + method.price_source);
  if (method.carbon_source) parts.push("carbon: " + method.carbon_source + ", " + method.carbon_basis);
  setText("method", parts.join(" · ") + " · " + report.source);
}

// A token is for this tab alone, and only sent to where the page came from.
function headers() {
  const token = sessionStorage.getItem("powertrace-token");
  return token ? { Authorization: "Bearer " + token } : {};
}

function complain(error) {
  const asks = error.status === 401;
  const refused = asks && sessionStorage.getItem("powertrace-token") !== null;
  if (asks && byId("login").hidden) {
    byId("login").hidden = false;
    byId("token").focus();
  }
  setText("trouble", refused ? "The service refuses this token." : error.message);
  byId("trouble").hidden = asks && !refused;
}

let timer;

async function refresh() {
  clearTimeout(timer);
  try {
    const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
    const [hours, spaces, workloads] = await Promise.all([
      get("api/v1/cost/hourly?tz=" + zone, headers()),
      get("api/v1/cost/current?range=24h&by=namespace&limit=" + kRows, headers()),
      get("api/v1/cost/current?range=24h&by=workload&limit=" + kRows, headers()),
    ]);
    summary(hours);
    draw(hours);
    fill("namespaces", spaces);
    fill("workloads", workloads);
    byId("trouble").hidden = true;
    byId("login").hidden = true;
  } catch (error) {
    complain(error);
  }
  timer = setTimeout(refresh, kEveryMs);
}

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("powertrace-token", byId("token").value.trim());
  byId("token").value = "";
  refresh();
});

refresh();
