#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Advance the energy counters of fake_rapl_ns.sh.

usage: FAKE_RAPL_EPOCH_NS=NS fake_rapl_writer.py RANGE_UJ STEP_MS IDLE_MW,... BUSY_MW,... ZONE_DIR...
"""
import os
import sys
import time

USER_HZ = os.sysconf("SC_CLK_TCK")


def busy_ns():
    """CPU time that was neither idle nor waiting, of all CPUs, since boot."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * 1_000_000_000 // USER_HZ


class Counter:
    """One energy_uj file. Readers may keep it open, so it is written in place, never replaced."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY)
        self.length = 0

    def show(self, value):
        text = f"{value}\n".encode()
        os.pwrite(self.fd, text, 0)
        if len(text) < self.length:  # after a wrap; until here the rest followed a newline
            os.ftruncate(self.fd, len(text))
        self.length = len(text)


def main(range_uj, step_ms, idle_mw, busy_mw, *zones):
    period = int(range_uj) + 1
    idle = [int(word) for word in idle_mw.split(",")]
    busy = [int(word) for word in busy_mw.split(",")]
    counters = [Counter(f"{zone}/energy_uj") for zone in zones]
    epoch = int(os.environ["FAKE_RAPL_EPOCH_NS"])
    busy_at_epoch = busy_ns()
    parent = os.getppid()
    while os.getppid() == parent:  # ends with the script, however that ends
        busy_time = busy_ns() - busy_at_epoch
        elapsed = time.monotonic_ns() - epoch
        for counter, idle_power, busy_power in zip(counters, idle, busy):
            counter.show((idle_power * elapsed + busy_power * busy_time) // 1_000_000 % period)
        time.sleep(int(step_ms) / 1000)


if __name__ == "__main__":
    main(*sys.argv[1:])
