# SPDX-License-Identifier: Apache-2.0
"""What runs in a child: a server over its sockets, or the loader. The LMDB environment is opened here, after the fork.

A child that can't even start exits with EXIT_CANNOT_BOOT: the next would fail the same way, so the master stops.
"""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable, Iterator

from fastmdns import name
from fastmdns.access import AccessTable
from fastmdns.answer import Answerer, Settings
from fastmdns.config import ServeConfig, ZoneSource, zone_files
from fastmdns.errors import ConfigError, FastmdnsError
from fastmdns.server import logs
from fastmdns.server.board import Board, Fact
from fastmdns.server.loader import Loader
from fastmdns.server.process import EXIT_CANNOT_BOOT, EXIT_FAILED, EXIT_OK, Signals
from fastmdns.server.sockets import Sockets
from fastmdns.server.transferlog import TransferLog
from fastmdns.server.worker import Worker
from fastmdns.store import Store
from fastmdns.tsig import Key, Keyring

DRAIN_SECONDS = 30.0  # for running transfers, once TERM came


def keyring_from_config(config: ServeConfig) -> Keyring:
    return Keyring(Key(key.name, key.algorithm, key.secret) for key in config.tsig_keys)


def access_from_config(config: ServeConfig) -> AccessTable:
    return AccessTable(config.allow, {apex: source.allow or () for apex, source in _zones_with_rules(config)})


def _zones_with_rules(config: ServeConfig) -> Iterator[tuple[bytes, ZoneSource]]:
    for source in config.zones:
        if source.allow is not None:
            for found in zone_files(source):
                yield name.from_text(found.apex or "", b"\0"), found


def serve_queries(config: ServeConfig, board: Board, index: int, sockets: Sockets) -> None:
    """The life of server `index`."""
    udp, tcp = sockets.udp_of(index), sockets.tcp()
    sockets.keep_only((*udp, *tcp))
    row = board.servers[index]
    signals = Signals([signal.SIGTERM, signal.SIGHUP], ignored=[signal.SIGINT, signal.SIGUSR1])
    version = board.loader.facts[Fact.ACCESS]
    answerer = Answerer(
        Store(config.store, readonly=True),
        access_from_config(config),
        keyring_from_config(config),
        row.counters,
        Settings(config.udp_size, config.nsid.encode(), config.idle_seconds),
    )
    log = TransferLog(logs.form_from_config(config.log_format), config.log_transfers)
    row.facts[Fact.ACCESS] = version

    def refresh() -> None:
        """A zone with rules of its own is about to be served."""
        version = board.loader.facts[Fact.ACCESS]
        answerer.set_access(access_from_config(config))
        row.facts[Fact.ACCESS] = version

    worker = Worker(
        answerer,
        row.counters,
        log,
        config,
        udp=udp,
        tcp=tcp,
        wakeup=signals.fileno(),
        facts=row.facts,
        drain_seconds=DRAIN_SECONDS,
        refresh=refresh,
    )
    # What stands now stays: never walk it again, and leave the pages shared with the master alone. (Collecting first
    # would touch every one of them, while the zones load on the same cores.)
    gc.freeze()
    worker.run()


def load_zones(config: ServeConfig, board: Board, control: socket.socket) -> None:
    """The life of the loader."""
    Loader(config, board, control, keyring_from_config(config)).run()


def exit_code_of(work: Callable[[], None], title: str) -> int:
    """Run a child's work to its end, which no exception leaves."""
    try:
        work()
    except (ConfigError, FastmdnsError, OSError) as error:
        logs.error("cannot boot", process=title, reason=error)
        return EXIT_CANNOT_BOOT
    except Exception:  # noqa: BLE001 - the last line of defence: the child ends, the master starts another
        logs.failure("process failed", process=title)
        return EXIT_FAILED
    return EXIT_OK
