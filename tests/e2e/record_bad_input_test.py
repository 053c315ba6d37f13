#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is no recording, or cannot be read or written: every command says what, where and why, and
leaves nothing behind that looks whole."""
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

from checks import check, summary
from recordings import FORMATS, POWERTRACE, run

FILE_HEADER, CHUNK_HEADER = 16, 48
NOBODY = 65534


def chunks(whole):
    """(offset, length) of each."""
    found, at = [], FILE_HEADER
    while whole[at : at + 4] == b"PTCK":
        length = CHUNK_HEADER + struct.unpack_from("<I", whole, at + 12)[0]
        found.append((at, length))
        at += length
    return found


def with_chunk(whole, number, payload, stored, raw, zstd):
    """Another payload and other lengths in a chunk, under checksums that are right."""
    at, length = chunks(whole)[number]
    header = bytearray(whole[at : at + CHUNK_HEADER])
    flags = struct.unpack_from("<I", header, 8)[0]
    struct.pack_into("<III", header, 8, flags & ~1 | zstd, stored, raw)
    struct.pack_into("<I", header, 40, zlib.crc32(payload))
    struct.pack_into("<I", header, 44, zlib.crc32(header[:44]))
    return whole[:at] + header + payload + whole[at + length :]


def make_bad(tmp, whole):
    """By name: the file, the exit status, and what is said."""
    first, second = chunks(whole)[:2]
    frame = bytes.fromhex("28b52ffde0") + struct.pack("<Q", 100 << 30) + b"\1\0\0"  # zstd: claims 100 GB
    claim = 0xFFFFFFFF
    bad = {
        "empty": (b"", 1, b"is empty"),
        "text": (b"hello, world, I am no recording", 1, b"is not a recording"),
        "newer": (whole[:8] + b"\x02" + whole[9:], 3, b"use a newer one"),
        "foreign": (whole[:12] + whole[12:16][::-1] + whole[16:], 1, b"byte order"),
        "short": (whole[:12], 1, b"cut off"),
        "cut in its first chunk": (whole[: first[0] + 20], 1, b"cut off before anything was recorded"),
        "cut before its first window": (whole[: second[0]], 1, b"holds no window"),
        "a first chunk of 4 GB": (with_chunk(whole, 0, b"", claim, claim, 0), 1, b"is damaged"),
        "a first chunk that unpacks to 100 GB": (with_chunk(whole, 0, frame, len(frame), claim, 1), 1, b"is damaged"),
    }
    for name, (content, status, says) in bad.items():
        (tmp / name).write_bytes(content)
        yield name, tmp / name, status, says
    yield "a directory", tmp, 2, b"is a directory"
    yield "nothing", tmp / "none", 1, b"No such file"


def test_readers(tmp, good):
    out = tmp / "out"
    for name, path, status, says in make_bad(tmp, good.read_bytes()):
        for command in (["report", path], ["report", path, "--by", "symbol"], ["export", path, "--format", "pprof", "-o", out],
                        ["export", path, "--format", "json", "-o", out], ["diff", good, path],
                        ["diff", path, good, "--flamegraph", "-o", out], ["--source", f"replay:{path}", "top", "--batch"]):
            done = run(*map(str, command), timeout=20)
            check(done.returncode == status and says in done.stderr and not done.stdout
                  and path.name.encode() in done.stderr, f"{name}: {command[0]}", (done.returncode, done.stderr))
        check(not out.exists(), f"{name}: nothing is left")


def test_claims(tmp, good):
    """Of a chunk among others, the rest of the recording is as good as before."""
    whole = good.read_bytes()
    frame = bytes.fromhex("28b52ffde0") + struct.pack("<Q", 100 << 30) + b"\1\0\0"
    path = tmp / "claims"
    for what, args in (("4 GB", (b"", 0xFFFFFFFF, 0xFFFFFFFF, 0)), ("100 GB unpacked", (frame, len(frame), 1000, 1))):
        path.write_bytes(with_chunk(whole, 1, *args))
        done = subprocess.run(["prlimit", "--as=2000000000", POWERTRACE, "report", str(path)], capture_output=True,
                              timeout=20, check=False)
        check(done.returncode == 0 and b"damaged bytes were skipped" in done.stderr, f"a chunk of {what}", done.stderr)


def test_permission(tmp, good):
    tmp.chmod(0o755)
    binary = tmp / "powertrace"
    shutil.copy(POWERTRACE, binary)
    readable = tmp / "readable"
    shutil.copy(good, readable)
    readable.chmod(0o644)
    other = tmp / "other"
    for command, says in ((["report", good], b"mode 0600"), (["export", good, "--format", "json"], b"mode 0600"),
                          (["diff", readable, good], b"mode 0600"), (["record", "-o", other, "-d", "1s"], b"setcap"),
                          (["export", readable, "--format", "json", "-o", other], b"cannot create a file")):
        done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(binary),
                               *map(str, command)], capture_output=True, timeout=60, check=False)
        check(done.returncode == 3 and says in done.stderr and not done.stdout, f"nobody's {command[0]}",
              (done.returncode, done.stderr))
    check(not other.exists(), "nobody leaves nothing")


def test_full_disk(tmp, good):
    small = tmp / "small"
    small.mkdir()
    run("record", "-o", str(tmp / "sample"), "--window", "5ms", "-d", "3s")
    pages = (tmp / "sample").stat().st_size // 4096 + 1  # three seconds fit, and not much more
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * pages}k", "none", str(small)], check=False).returncode != 0:
        return print("not checked: a full disk: cannot mount a tmpfs")
    try:
        path = small / "a.data"
        done = run("record", "-o", str(path), "--window", "5ms", "-d", "100s")
        check(done.returncode == 1 and b"No space left" in done.stderr and b"kept" in done.stderr, "record says so",
              done.stderr)
        done = run("report", str(path))
        check(done.returncode == 0 and b"has no end" in done.stderr, "what was recorded is there", done.stderr)
        path.unlink()
        (small / "filler").write_bytes(bytes((pages - 1) << 12))
        out = small / "out"
        for name in FORMATS:
            done = run("export", str(good), "--format", name, "-o", str(out))
            check((done.returncode == 1 and b"No space left" in done.stderr) or
                  (done.returncode == 0 and out.stat().st_size <= 4096), f"export {name}", (done.returncode, done.stderr))
            out.unlink(missing_ok=True)
            check([file.name for file in small.iterdir()] == ["filler"], f"export {name} leaves nothing")
        done = run("diff", str(good), str(good), "--flamegraph", "-o", str(out))
        check(done.returncode == 1 and b"free some space" in done.stderr and not out.exists(), "diff", done.stderr)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    with open("/dev/full", "wb") as full:
        for command in (["report", good], ["export", good, "--format", "pprof"], ["diff", good, good]):
            done = subprocess.run([POWERTRACE, *map(str, command)], stdout=full, stderr=subprocess.PIPE, check=False)
            check(done.returncode == 1 and b"No space left" in done.stderr, f"{command[0]} to a full disk", done.stderr)


def main():
    if run("doctor").returncode == 3 or os.geteuid() != 0:
        print("skipped: powertrace cannot work here")
        return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        good = tmp / "good"
        done = run("record", "-g", "-d", "1200ms", "-o", str(good))
        check(done.returncode == 0, "recorded", done.stderr)
        test_readers(tmp, good)
        test_claims(tmp, good)
        test_permission(tmp, good)
        test_full_disk(tmp, good)
        for args, says in ((["-o", "/nonexistent/a"], b"No such file"), (["-o", "/proc/a"], b"cannot write"),
                           (["-o", str(tmp)], b"directory")):
            done = run("record", "-d", "1s", *args)
            check(done.returncode in (1, 2) and says in done.stderr, f"record {args}", (done.returncode, done.stderr))
    return summary()


if __name__ == "__main__":
    sys.exit(main())
