#!/usr/bin/env python3
"""Runs one command and prints what it cost as the last line, one JSON object; first its process id.

  measure.py -- COMMAND ARGS...

wallSeconds   from just before the process starts to its end
cpuSeconds    user + system of the process, its threads and every child it waited for (wait4)
peakRssBytes  largest resident set of any one process (VmHWM; counts mapped files)
peakAnonBytes largest sum of RssAnon over the process and its descendants, sampled every 50 ms
threads       CPU seconds by name of thread, to the last sample; only when BENCH_THREADS is set
"""
import json
import os
import signal
import sys
import threading
import time

SAMPLE_SECONDS = 0.05


def descendants(root):
    found = [root]
    for pid in found:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as children:
                    found += [int(child) for child in children.read().split()]
        except OSError:
            pass
    return found


def anonymous_bytes(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def thread_seconds(pid, found):
    """Brings `found`, thread id to (name, user, system), up to date."""
    ticks = os.sysconf("SC_CLK_TCK")
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat") as stat:
                line = stat.read()
            name = line[line.index("(") + 1 : line.rindex(")")]
            fields = line[line.rindex(")") + 2 :].split()
            found[task] = (name, int(fields[11]) / ticks, int(fields[12]) / ticks)
    except OSError:
        pass


def by_name(found):
    total = {}
    for name, user, system in found.values():
        known = total.get(name, (0, 0))
        total[name] = (known[0] + user, known[1] + system)
    return {name: {"user": user, "system": system} for name, (user, system) in total.items()}


def main():
    command = sys.argv[sys.argv.index("--") + 1 :]
    peak_anon = 0
    threads = {}
    is_over = threading.Event()

    def sample(pid):
        nonlocal peak_anon
        while not is_over.wait(SAMPLE_SECONDS):
            peak_anon = max(peak_anon, sum(anonymous_bytes(p) for p in descendants(pid)))
            if "BENCH_THREADS" in os.environ:
                thread_seconds(pid, threads)

    # A command that ends only when it is told to: the signal reaches the whole group.
    signal.signal(signal.SIGTERM, lambda *_: None)
    started = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    print(json.dumps({"event": "measuring", "pid": pid}), flush=True)
    sampler = threading.Thread(target=sample, args=(pid,), daemon=True)
    sampler.start()
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - started
    is_over.set()
    print(
        json.dumps(
            {
                "event": "measured",
                "code": os.waitstatus_to_exitcode(status),
                "wallSeconds": wall,
                "cpuSeconds": usage.ru_utime + usage.ru_stime,
                "userSeconds": usage.ru_utime,
                "systemSeconds": usage.ru_stime,
                "peakRssBytes": usage.ru_maxrss * 1024,
                "peakAnonBytes": peak_anon,
                "threads": by_name(threads),
            }
        ),
        flush=True,
    )


main()
