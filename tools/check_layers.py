#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes follow the layers of docs/architecture.md, third-party code stays in its rooms, names are unique.

usage: tools/check_layers.py [ROOT]
"""
import pathlib
import re
import sys

# A room may include itself and what is named here.
MAY_USE = {
    "base": [],
    "model": ["base"],
    "energy": ["base", "model"],
    "trace": ["base", "model"],
    "net": ["base"],
    "identity": ["base", "model", "net"],
    "pipeline": ["base", "model", "energy", "trace", "identity"],
    "render": ["base", "model"],
    "config": ["base"],
    "doctor": ["base", "model", "energy", "trace", "identity"],
    "record": ["base", "model", "energy", "trace", "identity", "pipeline"],
    "report": ["base", "model", "identity", "record", "render"],
    "market": ["base", "net"],
    "cost": ["base", "market"],
    "history": ["base", "model", "net", "cost"],
    "accounting": ["base", "model", "market", "cost", "history"],
    "push": ["base", "model", "net"],
    "capping": ["base", "market"],
    "serve": ["base", "model", "energy", "net", "identity", "pipeline", "render", "config", "market", "cost", "history",
              "accounting", "capping"],
}
# The commands may use every room.
MAY_USE["cli"] = list(MAY_USE)

# Header -> the only rooms that may name it. Headers in no rule are the C and C++ libraries'.
THIRD_PARTY = [
    (r"fmt/", set(MAY_USE)),
    (r"tl/expected\.hpp", {"base"}),
    (r"spdlog/", {"base"}),
    (r"date/", {"base"}),
    (r"bpf/|(powertrace|sampling)\.skel\.h", {"trace"}),
    (r"nlohmann/", {"render", "identity", "market", "history", "serve", "report", "capping", "accounting", "push"}),
    (r"curl/", {"net"}),
    (r"zstd\.h", {"record"}),
    (r"zlib\.h", {"record", "report", "serve"}),
    (r"elfutils/|dwarf\.h|libelf\.h|gelf\.h|cxxabi\.h", {"report", "record"}),
    (r"libxml/", {"market"}),
    (r"sqlite3\.h", {"history"}),
    (r"microhttpd\.h|gnutls/|crypt\.h|libdeflate\.h", {"serve"}),
    (r"protozero/", {"report", "push"}),
    (r"hiredis/|snappy", {"push"}),
    (r"yaml-cpp/", {"config"}),
    (r"CLI/", {"cli"}),
    (r"curses\.h|ncurses|term\.h", {"cli"}),
]
C_HEADERS = re.compile(r"^(sys|linux|asm|net|netinet|arpa)/|^(unistd|fcntl|poll|termios|sched|dirent|signal|"
                       r"elf|ftw|grp|pwd|getopt|syslog|dlfcn|pthread|spawn|time|wait|locale|langinfo|pty|netdb|malloc)\.h$"
                       r"|^[a-z_0-9]+$")
# model/ is pure: no I/O, no clock, no thread.
IMPURE = re.compile(r"^(fstream|iostream|thread|mutex|atomic|filesystem|chrono|ctime|unistd\.h|fcntl\.h|sys/.*)$"
                    r"|^base/(clock|fd|log|sysroot|event_loop|topology)\.hpp$")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def problems(root):
    for path in sorted((root / "src").rglob("*.[ch]pp")):
        room = path.relative_to(root / "src").parts[0]
        name = path.relative_to(root)
        if room not in MAY_USE:
            yield f"{name}: room {room} is unknown: add it to MAY_USE and docs/architecture.md"
            continue
        for quote, header in INCLUDE.findall(path.read_text()):
            if room == "model" and IMPURE.match(header):
                yield f"{name}: {header}: model/ is pure (no I/O, clock or thread)"
            if quote == '"' and header.split("/")[0] in MAY_USE:
                used = header.split("/")[0]
                if used != room and used not in MAY_USE[room]:
                    yield f"{name}: {room}/ may not include {header}: it may use {MAY_USE[room]}"
                continue
            rule = next((rooms for pattern, rooms in THIRD_PARTY if re.match(pattern, header)), None)
            if rule is not None:
                if room not in rule:
                    yield f"{name}: {header} is allowed only in {sorted(rule)}"
            elif quote == '"':
                if not header.startswith("powertrace/"):
                    yield f'{name}: "{header}" is in no room: write paths from src/'
            elif not C_HEADERS.match(header):
                yield f"{name}: <{header}> belongs to no room: add a rule to THIRD_PARTY"


TYPE = re.compile(r"^(?:struct|class|enum(?: class)?) (\w+)(?!\w|::)[^;({]*\{", re.M)
NAMESPACE = re.compile(r"^namespace ([\w:]+) \{", re.M)


def types_defined_twice(root):
    """Two types of one name in one namespace link without a word, and one of them is then wrong."""
    seen = {}
    for path in sorted((root / "src").rglob("*.hpp")):
        text = path.read_text()
        for match in TYPE.finditer(text):
            spaces = NAMESPACE.findall(text[:match.start()])
            name = f"{spaces[-1] if spaces else ''}::{match.group(1)}"
            if name in seen:
                yield f"{path.relative_to(root)}: {name} is also defined in {seen[name]}: rename one"
            seen[name] = path.relative_to(root)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    found = [*problems(root), *types_defined_twice(root)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
