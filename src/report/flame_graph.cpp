// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "report/export.hpp"
#include "report/json_text.hpp"

namespace powertrace::report {
namespace {

// Frames below this part of all are left out: nobody could see them.
constexpr std::int64_t kSmallestPart = 50'000;

struct Node {
  std::uint32_t name = 0;
  std::int64_t energy_nj = 0;
  std::int64_t before_nj = 0;
  std::vector<Node> children;
};

struct Entry {
  std::vector<std::uint32_t> names;
  std::int64_t energy_nj = 0;
  std::int64_t before_nj = 0;
};

// Both sides' paths with numbers of the same names.
std::vector<Entry> merge(const Paths& paths, const Paths* before, std::vector<std::string>& names) {
  names = paths.names;
  if (before != nullptr) {
    std::vector<std::string> all;
    std::set_union(names.begin(), names.end(), before->names.begin(), before->names.end(),
                   std::back_inserter(all));
    names = std::move(all);
  }
  std::vector<Entry> entries;
  const auto add = [&](const Paths& side, std::int64_t Entry::*energy_nj) {
    std::vector<std::uint32_t> number;
    for (const std::string& name : side.names) {
      number.push_back(static_cast<std::uint32_t>(
          std::lower_bound(names.begin(), names.end(), name) - names.begin()));
    }
    for (const Path& path : side.paths) {
      Entry& entry = entries.emplace_back();
      for (const std::uint32_t name : path.names) {
        entry.names.push_back(number[name]);
      }
      entry.*energy_nj = path.energy_nj;
    }
  };
  add(paths, &Entry::energy_nj);
  if (before != nullptr) {
    add(*before, &Entry::before_nj);
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.names < b.names; });
  }
  return entries;
}

// The paths are sorted: what belongs together is next to each other.
Node make_tree(const std::vector<Entry>& entries) {
  Node root;
  for (const Entry& entry : entries) {
    Node* node = &root;
    node->energy_nj += entry.energy_nj;
    node->before_nj += entry.before_nj;
    for (const std::uint32_t name : entry.names) {
      if (node->children.empty() || node->children.back().name != name) {
        node->children.push_back({name, 0, 0, {}});
      }
      node = &node->children.back();
      node->energy_nj += entry.energy_nj;
      node->before_nj += entry.before_nj;
    }
  }
  return root;
}

// [name, joules, joules before, children]; not recursive: stacks come from other people's programs.
std::string tree_json(const Node& root) {
  struct Open {
    const Node* node;
    std::size_t next;
  };
  std::string out;
  const auto begin = [&](const Node& node) {
    fmt::format_to(std::back_inserter(out), "[{},{}.{:09},{}.{:09},[", node.name,
                   node.energy_nj / 1'000'000'000, node.energy_nj % 1'000'000'000,
                   node.before_nj / 1'000'000'000, node.before_nj % 1'000'000'000);
  };
  const std::int64_t least_nj = std::max<std::int64_t>(root.energy_nj / kSmallestPart, 1);
  std::vector<Open> open{{&root, 0}};
  begin(root);
  while (!open.empty()) {
    Open& top = open.back();
    if (top.next == top.node->children.size()) {
      out += "]]";
      open.pop_back();
      continue;
    }
    const Node& child = top.node->children[top.next++];
    if (child.energy_nj >= least_nj) {
      out += out.back() == '[' ? "" : ",";
      begin(child);
      open.push_back({&child, 0});
    }
  }
  return out;
}

std::string for_script(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string for_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  }
  return out;
}

constexpr const char* kHead = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{}</title>
)html";

constexpr const char* kPage = R"html(<style>
body { font: 13px system-ui, sans-serif; margin: 0; background: #fff; color: #222; }
header { display: flex; gap: 12px; align-items: center; padding: 8px 12px; border-bottom: 1px solid #ddd; }
h1 { font-size: 15px; margin: 0; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
input, button { font: inherit; padding: 3px 8px; }
#graph { position: relative; margin: 8px 12px; overflow: hidden; }
#graph div { position: absolute; height: 17px; line-height: 17px; overflow: hidden; white-space: nowrap;
  box-sizing: border-box; cursor: pointer; font-size: 12px; }
#graph div.wide { padding: 0 3px; border-right: 1px solid #fff; }
#graph div:hover { outline: 1px solid #000; z-index: 1; }
#graph div.hit { background: #b3f !important; color: #fff; }
#graph div.above { opacity: .55; }
#tip { position: fixed; background: #222; color: #fff; padding: 4px 8px; border-radius: 4px; pointer-events: none;
  display: none; max-width: 80ch; overflow-wrap: anywhere; z-index: 2; white-space: pre-line; }
footer { padding: 4px 12px; color: #555; min-height: 1.4em; }
</style></head><body>
<header><h1 id="title"></h1><input id="search" placeholder="search (regular expression)" aria-label="search">
<button id="reset">reset zoom</button></header>
<footer id="status"></footer><div id="graph"></div><div id="tip"></div>
<script>
"use strict";
const ROW = 18, graph = document.getElementById("graph"), tip = document.getElementById("tip");
const status = document.getElementById("status"), search = document.getElementById("search");
for (const work = [data.tree]; work.length;) {
  const node = work.pop();
  node[0] = node === data.tree ? "all" : data.names[node[0]];
  work.push(...node[3]);
}
let zoomed = [data.tree], pattern = null;
document.getElementById("title").textContent = data.title;
function joules(j) { return j >= 1000 ? (j / 1000).toFixed(2) + " kJ" : j >= 1 ? j.toFixed(3) + " J" : (j * 1000).toFixed(3) + " mJ"; }
function watts(j) { return (j / data.seconds).toPrecision(3) + " W"; }
function percent(j) { return (100 * j / data.tree[1]).toFixed(2) + " %"; }
function colour(node) {
  if (data.differential) {
    const was = node[2], now = node[1], change = Math.max(-1, Math.min(1, (now - was) / Math.max(now, was, 1e-12)));
    const light = 92 - Math.abs(change) * 40;
    return `hsl(${change >= 0 ? 5 : 220} 80% ${light}%)`;
  }
  let hash = 0;
  for (const c of node[0]) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return node[0].startsWith("[") ? "#ccc" : `hsl(${20 + hash % 35} ${70 + hash % 20}% ${62 + hash % 12}%)`;
}
function about(node) {
  let text = `${node[0]}\n${joules(node[1])}, ${watts(node[1])}, ${percent(node[1])}`;
  if (data.differential) text += `\nbefore: ${joules(node[2])} (${node[1] >= node[2] ? "+" : "-"}${joules(Math.abs(node[1] - node[2]))})`;
  return text;
}
function draw() {
  graph.textContent = "";
  const width = graph.clientWidth, focus = zoomed[zoomed.length - 1];
  let deepest = 0, hits = 0;
  const box = (node, x, w, depth, above, path) => {
    const div = document.createElement("div");
    div.style.left = x + "px"; div.style.width = Math.max(w, 1) + "px"; div.style.top = depth * ROW + "px";
    div.style.background = colour(node);
    div.className = above ? "above" : "";
    if (pattern && pattern.test(node[0])) div.classList.add("hit");
    if (w > 20) div.textContent = node[0];
    if (w > 8) div.classList.add("wide");
    div.dataset.name = node[0];
    div.onclick = () => { zoomed = path; draw(); };
    div.onmousemove = event => {
      tip.textContent = about(node); tip.style.display = "block";
      tip.style.left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = event.clientY + 14 + "px";
    };
    div.onmouseleave = () => { tip.style.display = "none"; };
    graph.append(div);
    deepest = Math.max(deepest, depth);
  };
  zoomed.slice(0, -1).forEach((node, depth) => box(node, 0, width, depth, true, zoomed.slice(0, depth + 1)));
  const work = [[focus, 0, zoomed.length - 1, zoomed]];
  while (work.length) {
    const [node, x, depth, path] = work.pop();
    const w = width * node[1] / focus[1];
    if (w < 0.5) continue;
    box(node, x, w, depth, false, path);
    let at = x;
    for (const child of node[3]) {
      work.push([child, at, depth + 1, [...path, child]]);
      at += width * child[1] / focus[1];
    }
  }
  graph.style.height = (deepest + 1) * ROW + "px";
  let text = `${focus[0]}: ${joules(focus[1])}, ${watts(focus[1])}, ${percent(focus[1])} of all`;
  if (data.differential) text += "; red: more than before, blue: less";
  if (pattern) {
    const sum = (node) => pattern.test(node[0]) ? node[1] : node[3].reduce((all, child) => all + sum(child), 0);
    const found = sum(data.tree);
    text += `; found: ${joules(found)}, ${watts(found)}, ${percent(found)}`;
  }
  status.textContent = text;
}
search.oninput = () => {
  try { pattern = search.value ? new RegExp(search.value, "i") : null; } catch { return; }
  draw();
};
document.getElementById("reset").onclick = () => { zoomed = [data.tree]; draw(); };
addEventListener("resize", draw);
addEventListener("keydown", event => { if (event.key === "Escape") { zoomed = [data.tree]; draw(); } });
draw();
</script></body></html>
)html";

}  // namespace

std::string flame_graph(const Paths& paths,
                        const Paths* before,
                        const std::string& title,
                        double seconds) {
  std::vector<std::string> names;
  const Node root = make_tree(merge(paths, before, names));
  JsonColumn quoted;
  for (const std::string& name : names) {
    quoted.add_string(name);
  }
  const std::string data =
      fmt::format(R"({{"title":{},"seconds":{:.9f},"differential":{},"names":{},"tree":{}}})",
                  json_string(title), seconds, before != nullptr, quoted.text(), tree_json(root));
  return fmt::format(kHead, for_html(title)) + "<script>const data = " + for_script(data) +
         ";</script>\n" + kPage;
}

}  // namespace powertrace::report
