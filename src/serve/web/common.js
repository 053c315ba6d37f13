// SPDX-License-Identifier: Apache-2.0
// What both pages need.
"use strict";

async function get(path) {
  const answer = await fetch(path, { cache: "no-cache" });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.detail || answer.statusText);
  return json;
}

function cell(kind, text, className) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
