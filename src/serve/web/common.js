// SPDX-License-Identifier: Apache-2.0
// What both pages need.
"use strict";

async function get(path, headers) {
  const answer = await fetch(path, { cache: "no-cache", headers: headers || {} });
  const json = await answer.json();
  if (!answer.ok) {
    const error = new Error(json.detail || answer.statusText);
    error.status = answer.status;
    throw error;
  }
  return json;
}

function cell(kind, text, className) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
