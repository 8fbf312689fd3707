#!/usr/bin/python3
"""What libtorrent (rasterbar) reads from torrents.

Each line of standard input is a torrent in base64. For each one line of JSON comes back: what
was read, {"error": "..."}, or {} when it was accepted and cannot be told in UTF-8.
"""
import base64
import json
import sys

import libtorrent as lt

PAD = lt.file_storage.flag_pad_file
HIDDEN = lt.file_storage.flag_hidden
EXECUTABLE = lt.file_storage.flag_executable
SYMLINK = lt.file_storage.flag_symlink


def read_file(files, index, is_v2):
    flags = int(files.file_flags(index))
    path = files.file_path(index)
    link = files.symlink(index) if flags & int(SYMLINK) else None
    size = files.file_size(index)
    is_pad = bool(flags & int(PAD))
    return {
        "path": path,
        "length": size,
        "offset": files.file_offset(index),
        "pad": is_pad,
        "hidden": bool(flags & int(HIDDEN)),
        "executable": bool(flags & int(EXECUTABLE)),
        # A link that leads nowhere points to itself.
        "link": None if link == path else link,
        "isLink": link is not None,
        "root": str(files.root(index)) if is_v2 and size > 0 and not is_pad else None,
    }


def read(torrent):
    hashes = torrent.info_hashes()
    files = torrent.files()
    tiers = {}
    for tracker in torrent.trackers():
        tiers.setdefault(tracker.tier, []).append(tracker.url)
    return {
        "v1": str(hashes.v1) if hashes.has_v1() else None,
        "v2": str(hashes.v2) if hashes.has_v2() else None,
        "name": torrent.name(),
        "pieceLength": torrent.piece_length(),
        "pieces": torrent.num_pieces(),
        "totalSize": torrent.total_size(),
        "private": torrent.priv(),
        "files": [
            read_file(files, index, hashes.has_v2()) for index in range(files.num_files())
        ],
        "trackers": [tiers[tier] for tier in sorted(tiers)],
        "webSeeds": [seed["url"] for seed in torrent.web_seeds() if seed["type"] == 0],
        "nodes": [list(node) for node in torrent.nodes()],
        "comment": torrent.comment(),
        "createdBy": torrent.creator(),
        "creationDate": torrent.creation_date(),
        "similar": [str(each) for each in torrent.similar_torrents()],
        "collections": torrent.collections(),
    }


for line in sys.stdin:
    try:
        answer = read(lt.torrent_info(base64.b64decode(line)))
    except RuntimeError as error:
        answer = {"error": str(error)}
    except UnicodeDecodeError:
        # Accepted, but the binding cannot say what it read: no UTF-8.
        answer = {}
    print(json.dumps(answer))
