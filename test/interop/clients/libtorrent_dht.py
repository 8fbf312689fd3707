#!/usr/bin/python3
"""Drives libtorrent (rasterbar) as one DHT node on loopback, prints JSON lines.

  libtorrent_dht.py [--node HOST:PORT]… [--announce HASH]… [--get HASH]… [--put-text TEXT]
                    [--get-item HASH] [--put-signed TEXT SEED KEY SALT] [--get-signed KEY SALT]

SEED, KEY and SALT are hexadecimal: an ed25519 seed, its public key, and what tells items of one key
apart.

Prints {"event":"listening","port":..} first, {"event":"peers","infoHash":..,"peers":[..]} for every
answer with peers, {"event":"item",..} for every item found, {"event":"put",..} for every item stored.
Asks again every second until it is killed: a node on loopback has to be found first.
"""
import argparse
import hashlib
import json
import time

import libtorrent as lt


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", action="append", default=[])
    parser.add_argument("--announce", action="append", default=[])
    parser.add_argument("--get", action="append", default=[])
    parser.add_argument("--put-text")
    parser.add_argument("--get-item")
    parser.add_argument("--put-signed", nargs=4)
    parser.add_argument("--get-signed", nargs=2)
    return parser.parse_args()


def open_session():
    return lt.session(
        {
            "listen_interfaces": "127.0.0.1:0",
            "enable_dht": True,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "dht_bootstrap_nodes": "",
            "dht_restrict_routing_ips": False,
            "dht_restrict_search_ips": False,
            "dht_ignore_dark_internet": False,
            "dht_privacy_lookups": False,
            # No more than is read: beyond two thousand it would drop some unseen.
            "alert_mask": lt.alert.category_t.status_notification
            | lt.alert.category_t.dht_notification
            | lt.alert.category_t.dht_operation_notification,
        }
    )


def sha1_of(text):
    return lt.sha1_hash(bytes.fromhex(text))


def expanded(seed):
    """The secret as libtorrent wants it: the hash of the seed, clamped (RFC 8032, 5.1.5)."""
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] &= 63
    key[31] |= 64
    return bytes(key)


def ask(session, options):
    for handle in session.get_torrents():
        handle.force_dht_announce()
    for info_hash in options.get:
        session.dht_get_peers(sha1_of(info_hash))
    if options.put_text is not None:
        say("putting", target=str(session.dht_put_immutable_item(options.put_text)))
    if options.get_item is not None:
        session.dht_get_immutable_item(sha1_of(options.get_item))
    if options.put_signed is not None:
        text, seed, key, salt = options.put_signed
        secret = expanded(bytes.fromhex(seed))
        session.dht_put_mutable_item(secret, bytes.fromhex(key), text, bytes.fromhex(salt))
    if options.get_signed is not None:
        key, salt = options.get_signed
        session.dht_get_mutable_item(bytes.fromhex(key), bytes.fromhex(salt))


def say_item(alert):
    try:
        item = alert.item
    except RuntimeError:
        return  # nobody has it yet
    value = item.get("value") if isinstance(item, dict) else item
    text = value.decode() if isinstance(value, bytes) else str(value)
    say("item", target=str(alert.target), value=text)


def say_signed(alert):
    """The binding hands out text alone; that libtorrent read another value, its signature shows."""
    if alert.seq == 0:
        return  # nobody has it yet; the signature is then whatever stood in that memory
    key = bytes(alert.key).hex()
    say("signed", key=key, sequence=alert.seq, signature=bytes(alert.signature).hex())


def main():
    options = parse_arguments()
    session = open_session()
    for info_hash in options.announce:
        # The binding's own dht_announce cannot be called from Python: a torrent announces itself.
        parameters = lt.parse_magnet_uri(f"magnet:?xt=urn:btih:{info_hash}")
        parameters.save_path = "."
        session.add_torrent(parameters)
    asked_at = 0.0
    announced = False
    while True:
        session.wait_for_alert(100)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.listen_succeeded_alert) and not announced:
                announced = True
                say("listening", port=alert.port)
                for node in options.node:
                    host, port = node.rsplit(":", 1)
                    session.add_dht_node((host, int(port)))
            elif isinstance(alert, lt.dht_get_peers_reply_alert):
                peers = [f"{host}:{port}" for host, port in alert.peers()]
                say("peers", infoHash=str(alert.info_hash), peers=peers)
            elif isinstance(alert, lt.dht_immutable_item_alert):
                say_item(alert)
            elif isinstance(alert, lt.dht_mutable_item_alert):
                say_signed(alert)
            elif isinstance(alert, lt.dht_put_alert):
                say("put", message=alert.message(), count=alert.num_success)
                if alert.num_success > 0:
                    options.put_signed = None  # once: the next one would be a later one
        if announced and time.monotonic() - asked_at > 1:
            asked_at = time.monotonic()
            ask(session, options)


main()
