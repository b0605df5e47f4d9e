# SPDX-License-Identifier: Apache-2.0
"""`fastmdns jobs`: the process that makes zones of imports. `fastmdns api` starts one; more may run, on any host."""

from __future__ import annotations

import os
import signal
from threading import Event

import click

from control import jobs as jobs_process
from control.central.core import Core
from control.cli import with_core
from fastmdns.server import logs


@click.command()
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=jobs_process.LEASE,
    show_default=True,
    metavar="SECONDS",
    help="After so long without a sign of life, another process takes an import over.",
)
@click.option("--with-parent", is_flag=True, help="End when the process ends that started this one.")
@with_core
def jobs(core: Core, lease: float, with_parent: bool) -> None:
    """Make zones of imports, until SIGTERM or SIGINT; an import that was begun is ended first."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logs.start(core.config.log_format)
    jobs_process.run(core, stop, lease, os.getppid() if with_parent else None)


if __name__ == "__main__":
    jobs()
