#!/usr/bin/python3
"""What libtorrent (rasterbar) reads from a torrent, and the torrent it makes of the same files.

  libtorrent_create.py TORRENT CONTENT v1|v2|hybrid PIECE_LENGTH OUT

Prints one JSON object; writes its own torrent to OUT.
"""
import json
import os
import sys

import libtorrent as lt

path, content, version, piece_length, out = sys.argv[1:6]
torrent = lt.torrent_info(path)
hashes = torrent.info_hashes()
files = torrent.files()
real = [
    index
    for index in range(files.num_files())
    if not files.file_flags(index) & lt.file_flags_t.flag_pad_file
]
print(
    json.dumps(
        {
            "v1": str(hashes.v1) if hashes.has_v1() else None,
            "v2": str(hashes.v2) if hashes.has_v2() else None,
            "files": [[files.file_path(index), files.file_size(index)] for index in real],
            "roots": [
                str(files.root(index))
                for index in real
                if hashes.has_v2() and files.file_size(index) > 0
            ],
        }
    )
)
storage = lt.file_storage()
lt.add_files(storage, content)
# Its v1_only, which the binding does not name.
flags = {"v1": 1 << 6, "v2": lt.create_torrent_flags_t.v2_only, "hybrid": 0}[version]
made = lt.create_torrent(storage, int(piece_length), flags)
lt.set_piece_hashes(made, os.path.dirname(content))
with open(out, "wb") as target:
    target.write(lt.bencode(made.generate()))
