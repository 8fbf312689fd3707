#!/usr/bin/env python3
"""A seed that costs next to nothing: the kernel sends its file without a copy.

  sendfile_seed.py INFO_HASH_HEX CONTENT IMAGE PIECE_LENGTH

IMAGE is written first: every block of CONTENT with the header of its message before it, so that
requests that follow one another are answered by one sendfile(2). One torrent, v1, loopback; blocks
are asked for in 16 KiB; whoever is interested is unchoked. Prints {"event":"listening","port":N}.
"""
import json
import os
import selectors
import socket
import struct
import sys

BLOCK = 16384
HEAD = 13
HANDSHAKE = 68
INTERESTED, REQUEST = 2, 6


def write_image(content_path, image_path, piece_length):
    with open(content_path, "rb") as content, open(image_path, "wb") as image:
        offset = 0
        while block := content.read(BLOCK):
            index, begin = divmod(offset, piece_length)
            image.write(struct.pack(">IBII", 9 + len(block), 7, index, begin))
            image.write(block)
            offset += len(block)
    return offset


class Downloader:
    def __init__(self, link, seed):
        self.link, self.seed = link, seed
        self.unread = b""
        self.is_shaken = False
        self.runs = []

    def on_readable(self):
        try:
            data = self.link.recv(65536)
        except BlockingIOError:
            return True
        if not data:
            return False
        view = self.unread + data
        at = 0
        if not self.is_shaken:
            if len(view) < HANDSHAKE:
                self.unread = view
                return True
            at = HANDSHAKE
            self.is_shaken = True
            self.link.sendall(self.seed.greeting)
        while len(view) - at >= 4:
            (length,) = struct.unpack_from(">I", view, at)
            if len(view) - at < 4 + length:
                break
            if length == 13 and view[at + 4] == REQUEST:
                _, _, index, begin, size = struct.unpack_from(">IBIII", view, at)
                self.ask(index * self.seed.piece_length + begin, size)
            elif length == 1 and view[at + 4] == INTERESTED:
                self.link.sendall(struct.pack(">IB", 1, 1))
            at += 4 + length
        self.unread = view[at:]
        return True

    def ask(self, offset, size):
        start = offset // BLOCK * (BLOCK + HEAD)
        end = start + HEAD + size
        if self.runs and self.runs[-1][1] == start:
            self.runs[-1][1] = end
        else:
            self.runs.append([start, end])

    def on_writable(self):
        while self.runs:
            run = self.runs[0]
            try:
                run[0] += os.sendfile(self.link.fileno(), self.seed.image, run[0], run[1] - run[0])
            except BlockingIOError:
                return
            if run[0] == run[1]:
                self.runs.pop(0)


class Seed:
    def __init__(self, info_hash, image, piece_count, piece_length):
        self.image, self.piece_length = image, piece_length
        bits = bytearray((piece_count + 7) // 8)
        for piece in range(piece_count):
            bits[piece // 8] |= 0x80 >> piece % 8
        handshake = b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-SF0001-" + os.urandom(12)
        self.greeting = handshake + struct.pack(">IB", 1 + len(bits), 5) + bits


def main():
    info_hash, content_path, image_path, piece_length = sys.argv[1:]
    size = write_image(content_path, image_path, int(piece_length))
    image = os.open(image_path, os.O_RDONLY)
    piece_count = -(-size // int(piece_length))
    seed = Seed(bytes.fromhex(info_hash), image, piece_count, int(piece_length))
    listener = socket.create_server(("127.0.0.1", 0))
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    print(json.dumps({"event": "listening", "port": listener.getsockname()[1]}), flush=True)
    while True:
        for key, events in selector.select():
            if key.data is None:
                link, _ = listener.accept()
                link.setblocking(False)
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(link, selectors.EVENT_READ, Downloader(link, seed))
                continue
            peer = key.data
            try:
                is_open = peer.on_readable() if events & selectors.EVENT_READ else True
                if is_open:
                    peer.on_writable()
            except OSError:
                is_open = False
            if not is_open:
                selector.unregister(peer.link)
                peer.link.close()
                continue
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.runs else 0)
            if key.events != wanted:
                selector.modify(peer.link, wanted, peer)


main()
