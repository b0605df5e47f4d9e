# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.raw FILE`: the ceiling. A process that knows no DNS and writes a captured stream to whoever asks.

Prints its port, then serves until it is killed. Messages leave in pairs of 4 octets and the rest, 16 messages a call,
as a server would have to write them that makes the message id per transfer. Two threads; writev leaves the GIL.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
import sys
import threading
from pathlib import Path

BATCH = 16  # messages of 16 KiB: a quarter of a megabyte a call
THREADS = 2


def batches(stream: memoryview) -> list[list[memoryview]]:
    pieces = []
    at = 0
    while at < len(stream):
        (size,) = struct.unpack_from("!H", stream, at)
        pieces += [stream[at : at + 4], stream[at + 4 : at + 2 + size]]
        at += 2 + size
    return [pieces[index : index + 2 * BATCH] for index in range(0, len(pieces), 2 * BATCH)]


def send_all(connection: socket.socket, pieces: list[memoryview]) -> None:
    """One writev where the socket takes all of it; the rest piece by piece where not."""
    sent = os.writev(connection.fileno(), pieces)
    for piece in pieces:
        if sent < len(piece):
            connection.sendall(piece[sent:])
        sent = max(0, sent - len(piece))


def serve(listener: socket.socket, stream: list[list[memoryview]]) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(4096)
            for pieces in stream:
                send_all(connection, pieces)


def main(path: Path) -> None:
    with path.open("rb") as file:
        stream = batches(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    for _ in range(THREADS):
        threading.Thread(target=serve, args=(listener, stream)).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
