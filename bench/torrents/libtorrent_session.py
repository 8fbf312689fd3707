#!/usr/bin/python3
"""libtorrent with many complete torrents, measured as session-work.ts measures ours.

  libtorrent_session.py TORRENTS DATA [--idle SECONDS]

Every torrent is added in seed mode without verifying files: like ours, it believes what it knew and
looks at no file before it is asked for. Prints one JSON line.
"""
import argparse
import json
import os
import re
import socket
import time

import libtorrent as lt

SETTLE_SECONDS = 5


def seconds_alive():
    with open("/proc/self/stat") as stat:
        started = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def resident_bytes():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmRSS:\s*(\d+)", status.read()).group(1)) * 1024


def parameters(path, folder):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(path)
    params.save_path = folder
    params.flags &= ~lt.torrent_flags.auto_managed
    params.flags &= ~lt.torrent_flags.paused
    params.flags |= lt.torrent_flags.seed_mode | lt.torrent_flags.no_verify_files
    return params


def answer_milliseconds(port, info_hash):
    began = time.monotonic()
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-AP0001-" + os.urandom(12))
    got = 0
    while got < 68 + 5:
        chunk = peer.recv(65536)
        if not chunk:
            raise RuntimeError("the torrent is not served")
        got += len(chunk)
    peer.close()
    return (time.monotonic() - began) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("torrents")
    parser.add_argument("data")
    parser.add_argument("--idle", type=float, default=20)
    options = parser.parse_args()
    session = lt.session(
        {
            "listen_interfaces": "127.0.0.1:0",
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "enable_incoming_utp": False,
            "enable_outgoing_utp": False,
            "active_seeds": -1,
            "active_downloads": -1,
            "active_limit": -1,
            "in_enc_policy": int(lt.enc_policy.disabled),
            "alert_mask": 0,
        }
    )
    names = [name for name in os.listdir(options.torrents) if name != "one-more.torrent"]
    for name in names:
        session.async_add_torrent(parameters(f"{options.torrents}/{name}", options.data))
    while True:
        states = [handle.status().state for handle in session.get_torrents()]
        if len(states) == len(names) and all(s == lt.torrent_status.seeding for s in states):
            break
        time.sleep(0.02)
    start_seconds = seconds_alive()

    time.sleep(SETTLE_SECONDS)
    before = time.process_time()
    time.sleep(options.idle)
    cpu_percent = (time.process_time() - before) / options.idle * 100
    rss = resident_bytes()

    began = time.monotonic()
    handle = session.add_torrent(parameters(f"{options.torrents}/one-more.torrent", options.data))
    while handle.status().state != lt.torrent_status.seeding:
        time.sleep(0.0005)
    add_ms = (time.monotonic() - began) * 1000

    wanted = lt.torrent_info(f"{options.torrents}/7.torrent").info_hash().to_bytes()
    answer_ms = answer_milliseconds(session.listen_port(), wanted)
    facts = {
        "torrents": len(names),
        "startSeconds": start_seconds,
        "rssBytes": rss,
        "cpuPercent": cpu_percent,
        "addMs": add_ms,
        "answerMs": answer_ms,
    }
    print(json.dumps({"ok": True, **facts}), flush=True)
    os._exit(0)


main()
