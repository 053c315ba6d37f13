#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names of functions that a report could not find in files by itself: made at run time, in another
root file system, in a container, or on a debuginfod server."""
import http.server
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from checks import check, summary
from recordings import POWERTRACE, report, run
from runc_container import Unavailable, make_rootfs, run_pod

SOURCE = pathlib.Path(__file__).with_name("stacks.cpp")
COSTLY, CHEAP = "known::costly()", "known::cheap()"
TURNS = "10"
JIT = """
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
  /* mov rax, rdi; 1: dec rax; jnz 1b; ret */
  static const unsigned char code[] = {0x48, 0x89, 0xf8, 0x48, 0xff, 0xc8, 0x75, 0xfb, 0xc3};
  void *made = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char name[64];
  memcpy(made, code, sizeof(code));
  snprintf(name, sizeof(name), "/tmp/perf-%d.map", getpid());
  FILE *map = fopen(name, "w");
  fprintf(map, "%lx %lx made::at_run_time\\n", (unsigned long)made, sizeof(code));
  fclose(map);
  for (int i = 0; i < 100; i++) ((void (*)(long))made)(10000000);
  unlink(name);
}
"""


def functions(path):
    return {row["function"] for row in report(path, "--by", "symbol")["rows"]}


def record(path, *command):
    done = run("record", "-g", "-F", "499", "-o", str(path), "--", *command)
    check(done.returncode == 0, f"recorded {command[0]}", done.stderr)
    return path


def test_run_time(tmp):
    if platform.machine() != "x86_64":
        return print("not checked: code made at run time: the test's is x86_64")
    (tmp / "jit.c").write_text(JIT)
    subprocess.run(["cc", "-O1", "-o", str(tmp / "jit"), str(tmp / "jit.c")], check=True)
    check("made::at_run_time" in functions(record(tmp / "jit.data", str(tmp / "jit"))), "perf-PID.map")


def test_another_root(tmp, program):
    script = f"mount -t tmpfs none /mnt && cp '{program}' /mnt/inside && exec /mnt/inside {TURNS}"
    names = functions(record(tmp / "root.data", "unshare", "-m", "sh", "-c", script))
    check({COSTLY, CHEAP} <= names, "mounts of its own", sorted(names)[:9])


def test_container(tmp, program):
    """The program is in the container's root only: by its path nobody finds it afterwards."""
    try:
        make_rootfs(tmp / "rootfs")
        shutil.copy(program, tmp / "rootfs/inside-only")
        container = run_pod(tmp, tmp / "rootfs", ["/inside-only", "1000000"])
    except Unavailable as why:
        return print(f"not checked: containers: {why}")
    try:
        done = run("record", "-g", "-F", "499", "-d", "2s", "-o", str(tmp / "container.data"))
        check(done.returncode == 0, "recorded a container", done.stderr)
    finally:
        container.remove()
    shutil.rmtree(tmp / "rootfs")
    names = functions(tmp / "container.data")
    check({COSTLY, CHEAP} <= names, "a container", sorted(names)[:9])


class Debuginfod:
    """A server that has one debug file, or has not, or takes its time."""

    def __init__(self, build_id, content):
        self.mode, self.asked = "has", 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                if server.mode == "slow":
                    time.sleep(20)
                if server.mode != "has" or self.path != f"/buildid/{build_id}/debuginfo":
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def names(self, path, cache, **environment):
        """What a report says, and how long it took."""
        begin = time.monotonic()
        done = subprocess.run([POWERTRACE, "report", str(path), "--by", "symbol", "--csv"], capture_output=True,
                              timeout=120, check=False, env={**os.environ, "DEBUGINFOD_URLS": self.url,
                                                             "DEBUGINFOD_CACHE_PATH": str(cache), **environment})
        check(done.returncode == 0, "report with debuginfod", done.stderr)
        return done.stdout.decode(), time.monotonic() - begin


def test_debuginfod(tmp):
    if subprocess.run(["ldconfig", "-p"], capture_output=True, check=False).stdout.find(b"libdebuginfod.so.1") < 0:
        return print("not checked: debuginfod: no libdebuginfod.so.1")
    program, debug = tmp / "stripped", tmp / "debug"
    build(program, "-g")
    note = subprocess.run(["readelf", "-n", str(program)], capture_output=True, text=True, check=True).stdout
    build_id = note.split("Build ID: ")[1].split()[0]
    subprocess.run(["objcopy", "--only-keep-debug", str(program), str(debug)], check=True)
    subprocess.run(["strip", str(program)], check=True)
    path = record(tmp / "stripped.data", str(program), TURNS)
    check(not functions(path) & {COSTLY, CHEAP}, "stripped: no names")
    server = Debuginfod(build_id, debug.read_bytes())
    text, _ = server.names(path, tmp / "cache")
    check(COSTLY in text and CHEAP in text, "debuginfod: named", text[:500])
    check(server.asked > 0, "debuginfod: was asked")
    server.mode, server.asked = "gone", 0
    text, _ = server.names(path, tmp / "cache")
    check(COSTLY in text and server.asked == 0, "debuginfod: cached", server.asked)
    text, _ = server.names(path, tmp / "empty")
    check(COSTLY not in text and "stripped+0x" in text and server.asked > 0, "debuginfod: not there", text[:500])
    server.mode = "slow"
    text, took = server.names(path, tmp / "slow", DEBUGINFOD_TIMEOUT="1")
    check("stripped+0x" in text, "debuginfod: slow", text[:500])
    check(took < 15, "debuginfod: not waited for longer than asked", took)
    server.http.server_close()
    server.url = f"http://127.0.0.1:{server.http.server_address[1]}"
    server.http.shutdown()
    text, _ = server.names(path, tmp / "absent")
    check("stripped+0x" in text, "debuginfod: no server", text[:500])


def build(program, *flags):
    subprocess.run(["c++", "-O2", "-fno-omit-frame-pointer", *flags, "-o", str(program), str(SOURCE)], check=True)


def main():
    if run("doctor").returncode == 3:
        print("skipped: powertrace cannot work here")
        return 77
    if not shutil.which("c++"):
        print("skipped: no C++ compiler")
        return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        build(tmp / "symbols")
        build(tmp / "static", "-static")
        test_run_time(tmp)
        test_another_root(tmp, tmp / "symbols")
        test_container(tmp, tmp / "static")
        test_debuginfod(tmp)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
