// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/export.hpp"

namespace powertrace::report {
namespace {

using Json = nlohmann::ordered_json;

struct Node {
  std::int64_t energy_nj = 0;
  std::int64_t before_nj = 0;
  std::map<std::string, Node> children;
};

void add(Node& root, const std::vector<PathEnergy>& paths, std::int64_t Node::*energy) {
  for (const PathEnergy& path : paths) {
    Node* node = &root;
    node->*energy += path.energy_nj;
    for (const std::string& name : path.path) {
      node = &node->children[name];
      node->*energy += path.energy_nj;
    }
  }
}

// [name, joules, joules before, children]; not recursive: stacks come from other people's programs.
Json tree(const Node& root) {
  struct Open {
    const Node* node;
    std::map<std::string, Node>::const_iterator next;
    Json json;
  };
  const auto open = [](const std::string& name, const Node& node) {
    return Open{&node, node.children.begin(),
                Json::array({name, static_cast<double>(node.energy_nj) / 1e9,
                             static_cast<double>(node.before_nj) / 1e9, Json::array()})};
  };
  std::vector<Open> stack;
  stack.push_back(open("all", root));
  for (;;) {
    Open& top = stack.back();
    if (top.next != top.node->children.end()) {
      const auto& [name, child] = *top.next++;
      if (child.energy_nj > 0) {
        stack.push_back(open(name, child));
      }
      continue;
    }
    Json done = std::move(top.json);
    stack.pop_back();
    if (stack.empty()) {
      return done;
    }
    stack.back().json[3].push_back(std::move(done));
  }
}

std::string for_script(std::string json) {
  for (std::size_t at = 0; (at = json.find('<', at)) != std::string::npos; at += 6) {
    json.replace(at, 1, "\\u003c");
  }
  return json;
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
    for (const child of [...node[3]].sort((a, b) => a[0] < b[0] ? -1 : 1)) {
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

std::string flame_graph(const std::vector<PathEnergy>& paths,
                        const std::vector<PathEnergy>* before,
                        const std::string& title,
                        double seconds) {
  Node root;
  add(root, paths, &Node::energy_nj);
  if (before != nullptr) {
    add(root, *before, &Node::before_nj);
  }
  const Json data{{"title", title},
                  {"seconds", seconds},
                  {"differential", before != nullptr},
                  {"tree", tree(root)}};
  return fmt::format(kHead, for_html(title)) + "<script>const data = " +
         for_script(data.dump(-1, ' ', false, Json::error_handler_t::replace)) + ";</script>\n" +
         kPage;
}

}  // namespace powertrace::report
