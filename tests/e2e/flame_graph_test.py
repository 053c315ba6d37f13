#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The flame graph in a real browser: it draws itself, search and zoom work, names are only text.

POWERTRACE_SCREENSHOTS is a directory to leave pictures in, for people to look at.
"""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from checks import check, summary


POWERTRACE = os.environ["POWERTRACE"]
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1200,700"]
# What a person would do, and what she would then see.
DRIVER = """<pre id="seen"></pre><script>
const boxes = () => [...document.querySelectorAll("#graph div")];
// The widest: a sample in a function's first instructions misses its caller, and so makes a box beside.
const named = name => boxes().filter(box => box.dataset.name === name).sort((a, b) => b.offsetWidth - a.offsetWidth)[0];
const seen = {status: status.textContent, boxes: boxes().length, width: graph.clientWidth, text: boxes().map(b => b.textContent)};
named("worker").dispatchEvent(new MouseEvent("mousemove", {clientX: 50, clientY: 50}));
seen.tip = tip.textContent;
search.value = "^spin_"; search.dispatchEvent(new Event("input"));
seen.found = status.textContent;
seen.hits = boxes().filter(box => box.classList.contains("hit")).map(box => box.dataset.name);
seen.wanted = boxes().filter(box => box.dataset.name.startsWith("spin_")).length;
const before = named("spin_b").offsetWidth;
named("worker").click();
seen.zoomed = status.textContent;
seen.grown = [before, named("spin_b").offsetWidth, named("worker").offsetWidth];
dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
seen.back = named("spin_b").offsetWidth === before;
seen.clean = document.querySelectorAll("#graph b, #graph script").length === 0;
document.getElementById("seen").textContent = JSON.stringify(seen);
</script>"""
PROGRAM = """
static volatile unsigned long x;
__attribute__((noinline)) void spin_a(long n) { while (n--) x += n; __asm__ volatile(""); }
__attribute__((noinline)) void spin_b(long n) { while (n--) x += n; __asm__ volatile(""); }
__attribute__((noinline)) void worker(void) { spin_a(2000000); spin_b(4000000); __asm__ volatile(""); }
int main(int argc, char **argv) { for (int i = 0; i < 60; i++) worker(); return argc - argc; }
"""


def run(*args):
    done = subprocess.run([POWERTRACE, *map(str, args)], capture_output=True, timeout=120, check=False)
    check(done.returncode == 0, f"powertrace {args[0]}", done.stderr)
    return done


def browse(tmp, page, *args):
    profile = tempfile.mkdtemp(dir=tmp)
    done = subprocess.run(["chromium", *QUIET, f"--user-data-dir={profile}", *args, page.as_uri()],
                          capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == 0, "chromium", done.stderr[-500:])
    return done.stdout


def test_graph(tmp, page, folded):
    driven = tmp / "driven.html"
    driven.write_text(page.read_text().replace("</body>", DRIVER + "</body>"))
    found = re.search(r'<pre id="seen">([^<]+)</pre>', browse(tmp, driven, "--dump-dom"))
    check(found, "the script ran to its end")
    if not found:
        return
    seen = json.loads(html.unescape(found.group(1)))
    check(seen["boxes"] > 5 and "worker" in seen["text"], "it has a box per function", seen)
    check(re.search(r"^all: [\d.]+ k?J, [\d.]+ W, 100\.00 %", seen["status"]), "the status says J, W and %", seen["status"])
    check(re.search(r"^worker\n[\d.]+ m?J, [\d.e-]+ W, [\d.]+ %", seen["tip"]), "the tooltip says J, W and %", seen["tip"])
    check(set(seen["hits"]) == {"spin_a", "spin_b"} and len(seen["hits"]) == seen["wanted"], "search marks what it finds, and nothing else", seen)
    check(re.search(r"found: [\d.]+ J, [\d.]+ W, [\d.]+ %", seen["found"]), "search says how much", seen["found"])
    before, after, worker = seen["grown"]
    check(after > before and worker >= seen["width"] - 1 and seen["zoomed"].startswith("worker: "), "a click zooms", seen)
    part = sum(folded["worker;spin_b"]) / sum(folded["worker"])
    check(abs(after / worker - part) < 0.01, "widths are energies", (seen["grown"], part))
    check(seen["back"], "Escape zooms out")
    check(seen["clean"], "names are text")
    check(not re.search(r"(src|href)=|https?://|@import", page.read_text()), "nothing is loaded from elsewhere")


def main():
    if os.geteuid() != 0 or subprocess.run([POWERTRACE, "doctor"], capture_output=True, check=False).returncode == 3:
        print("skipped: powertrace cannot work here")
        return 77
    for tool in ("chromium", "cc"):
        if not shutil.which(tool):
            print(f"skipped: no {tool}")
            return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        (tmp / "p.c").write_text(PROGRAM)
        program = tmp / "<b>program"
        subprocess.run(["cc", "-O0", "-g", "-o", str(program), str(tmp / "p.c")], check=True)
        for file in ("a.data", "b.data"):
            run("record", "-g", "-F", "997", "-o", tmp / file, "--", program)
        run("export", tmp / "a.data", "--format", "flamegraph", "-o", tmp / "a.html")
        folded = {"worker": [], "worker;spin_b": []}
        for line in run("export", tmp / "a.data", "--format", "folded").stdout.decode().splitlines():
            for function, energies in folded.items():
                if f";{function};" in line.replace(" ", ";"):
                    energies.append(int(line.rsplit(" ", 1)[1]))
        test_graph(tmp, tmp / "a.html", folded)
        run("diff", tmp / "a.data", tmp / "b.data", "--flamegraph", "-o", tmp / "diff.html")
        page = browse(tmp, tmp / "diff.html", "--dump-dom")
        check('data-name="worker"' in page, "the difference is drawn")
        if pictures := os.environ.get("POWERTRACE_SCREENSHOTS"):
            for name in ("a", "diff"):
                browse(tmp, tmp / f"{name}.html", f"--screenshot={pathlib.Path(pictures) / f'flame-{name}.png'}")
    return summary()


if __name__ == "__main__":
    sys.exit(main())
