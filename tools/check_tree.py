#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""File sizes and licence lines.

usage: tools/check_tree.py FILE...   (paths from the repository's root)
"""
import pathlib
import sys

MAX_LINES = {".cpp": 500, ".hpp": 300, ".c": 500, ".h": 400, ".py": 400, ".sh": 300}
USER_CODE = "Apache-2.0"
KERNEL_CODE = "GPL-2.0-only OR BSD-2-Clause"
# Data and formats that hold no comment, and prose.
NO_LICENCE_LINE = {".md", ".json", ".txt", ".csv", ".golden", ".1", ".xml", ".svg"}
NO_LICENCE_FILES = {"LICENSE", ".gitignore", ".gitattributes", ".clang-format", ".clang-tidy",
                    ".editorconfig", ".dockerignore", ".helmignore", ".shellcheckrc"}
NO_LICENCE_DIRS = ("LICENSES/", "tests/golden/", "tests/fixtures/")


def expected_licence(name):
    kernel = (name.startswith(("bpf/", "vmlinux/")) or name.endswith(".bpf.c") or
              name in ("include/powertrace/abi.h", "include/powertrace/sampling.h"))
    return KERNEL_CODE if kernel and not name.endswith("CMakeLists.txt") else USER_CODE


def problems(name):
    path = pathlib.Path(name)
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    lines = text.splitlines()
    limit = MAX_LINES.get(path.suffix)
    if limit and len(lines) > limit:
        yield f"{name}: {len(lines)} lines, at most {limit}: it holds two things"
    if (path.suffix in NO_LICENCE_LINE and path.name != "CMakeLists.txt") or \
            path.name in NO_LICENCE_FILES or name.startswith(NO_LICENCE_DIRS):
        return
    tag = next((line for line in lines[:3] if "SPDX-License-Identifier:" in line), None)
    if tag is None:
        yield f"{name}: no SPDX-License-Identifier in the first three lines"
        return
    licence = tag.split("SPDX-License-Identifier:")[1].replace("*/", "").replace("}}", "").strip()
    # A kernel module of the test lab is the kernel's: GPL alone.
    if licence != expected_licence(name) and not (name.startswith("tests/kernel/") and
                                                  licence.startswith("GPL-2.0-only")):
        yield f"{name}: licence {licence}, expected {expected_licence(name)}"


def main():
    found = [problem for name in sys.argv[1:] for problem in problems(name)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
