#!/usr/bin/python3
"""Drives libtorrent (rasterbar) as one peer: seeds or downloads one torrent, prints JSON lines.

  libtorrent_peer.py seed TORRENT DIR [options]
  libtorrent_peer.py download TORRENT|MAGNET DIR [options]

Prints {"event":"listening","host":..,"port":..} first; a download then prints {"event":"metadata"},
{"event":"complete","seconds":S} (S counts from adding the torrent) and leaves with code 0, unless
--stay is given. Anything that ends the process ends the session.
"""
import argparse
import json
import os
import time

import libtorrent as lt


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["seed", "download"])
    parser.add_argument("torrent")
    parser.add_argument("folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--peer", action="append", default=[], help="HOST:PORT, may repeat")
    parser.add_argument("--upload-limit", type=int, default=0, help="bytes a second, 0 for none")
    parser.add_argument("--download-limit", type=int, default=0, help="bytes a second, 0 for none")
    parser.add_argument("--dht-node", help="HOST:PORT of the DHT node to begin with")
    parser.add_argument("--lsd", action="store_true", help="local service discovery")
    parser.add_argument("--stay", action="store_true", help="seed on after a download")
    parser.add_argument("--super", action="store_true", help="super-seeding (BEP 16)")
    parser.add_argument("--trust", action="store_true", help="seed without checking the files")
    parser.add_argument("--report-uploaded", action="store_true")
    parser.add_argument("--set", action="append", default=[], help="SETTING=NUMBER, may repeat")
    return parser.parse_args()


def open_session(options):
    settings = {
        "listen_interfaces": f"{options.host}:{options.port}",
        "enable_dht": options.dht_node is not None,
        "dht_bootstrap_nodes": "",
        # Loopback nodes are all of one address and have no id that BEP 42 would accept of them.
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_ignore_dark_internet": False,
        "enable_lsd": options.lsd,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_tcp": True,
        "enable_outgoing_tcp": True,
        "prefer_rc4": False,
        "allow_multiple_connections_per_ip": True,
        "unchoke_slots_limit": -1,
        "connections_limit": 1000,
        "upload_rate_limit": options.upload_limit,
        "download_rate_limit": options.download_limit,
        "in_enc_policy": int(lt.enc_policy.enabled),
        "out_enc_policy": int(lt.enc_policy.disabled),
        "allowed_enc_level": int(lt.enc_level.both),
        "announce_to_all_trackers": True,
        # Reaches our own tracker on loopback, which is not "/announce" only.
        "ssrf_mitigation": False,
        "allow_idna": True,
        "min_reconnect_time": 1,
        "alert_mask": lt.alert.category_t.status_notification
        | lt.alert.category_t.error_notification
        | lt.alert.category_t.storage_notification
        | lt.alert.category_t.tracker_notification,
    }
    for change in options.set:
        name, value = change.split("=")
        settings[name] = bool(int(value)) if isinstance(settings.get(name), bool) else int(value)
    session = lt.session(settings)
    if settings["upload_rate_limit"] > 0 or settings["download_rate_limit"] > 0:
        # libtorrent keeps local peers in a class without limits: put all into the global one.
        everybody = lt.ip_filter()
        everybody.add_rule("0.0.0.0", "255.255.255.255", 1 << 0)
        session.set_peer_class_filter(everybody)
    return session


def torrent_parameters(options):
    if options.torrent.startswith("magnet:"):
        parameters = lt.parse_magnet_uri(options.torrent)
    else:
        parameters = lt.add_torrent_params()
        parameters.ti = lt.torrent_info(options.torrent)
    parameters.save_path = options.folder
    parameters.flags &= ~lt.torrent_flags.auto_managed
    parameters.flags &= ~lt.torrent_flags.paused
    if options.super:
        parameters.flags |= lt.torrent_flags.super_seeding
    if options.role == "seed" and options.trust:
        parameters.flags |= lt.torrent_flags.seed_mode
    return parameters


def main():
    options = parse_arguments()
    session = open_session(options)
    started = time.monotonic()
    handle = session.add_torrent(torrent_parameters(options))
    for peer in options.peer:
        host, port = peer.rsplit(":", 1)
        handle.connect_peer((host.strip("[]"), int(port)))
    announced = False
    asked_at = 0.0
    uploaded = 0
    while True:
        session.wait_for_alert(100)
        if options.dht_node is not None and announced and time.monotonic() - asked_at > 1:
            # Nodes on loopback have to be found first: until then an announce reaches nobody.
            asked_at = time.monotonic()
            handle.force_dht_announce()
        if options.report_uploaded and handle.status().total_payload_upload > uploaded:
            uploaded = handle.status().total_payload_upload
            say("uploaded", bytes=uploaded)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.listen_succeeded_alert) and not announced:
                announced = True
                say("listening", host=options.host, port=alert.port)
                if options.dht_node is not None:
                    host, port = options.dht_node.rsplit(":", 1)
                    session.add_dht_node((host, int(port)))
            elif isinstance(alert, lt.metadata_received_alert):
                say("metadata", seconds=time.monotonic() - started)
            elif isinstance(alert, lt.torrent_finished_alert):
                # Every piece is checked, but some may still be on their way to the file.
                handle.flush_cache()
            elif isinstance(alert, lt.cache_flushed_alert) and handle.status().is_finished:
                say("complete", seconds=time.monotonic() - started)
                if options.role == "download" and not options.stay:
                    os._exit(0)
            elif isinstance(alert, (lt.torrent_error_alert, lt.listen_failed_alert)):
                say("error", message=alert.message())
                os._exit(1)


main()
