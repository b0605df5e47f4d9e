# SPDX-License-Identifier: Apache-2.0
"""The API's processes: gunicorn's master, and workers that are patched for gevent before they import anything else.

`python -m control.serving`, with its settings in FASTMDNS_CONTROL_*: `fastmdns api` becomes this. The master imports
neither Flask nor SQLAlchemy; each worker opens its own database and reads the settings again, so SIGHUP applies them
without losing a request. The metrics' address is one more listener of the same workers, which tell it by its port.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from control.config import ControlConfig, load
from fastmdns.config import split_endpoint
from fastmdns.errors import ConfigError
from fastmdns.server import logs

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS_TO_FINISH = 30  # for requests when a worker is asked to end
SECONDS_WITHOUT_SIGN = 300  # a worker that parses a large zone file gives none
SECONDS_IDLE = 75


class Log(Logger):
    """gunicorn's own log lines in our form. Requests have theirs from control.api.observe."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers = logs.LOGGER.handlers

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        pass


class Master(Arbiter):
    """gunicorn's master, which also keeps one process for imports running."""

    jobs: subprocess.Popen[bytes] | None = None

    def manage_workers(self) -> None:
        """Called every second, and whenever a child has ended."""
        super().manage_workers()
        if self.app.config.jobs and (self.jobs is None or self.jobs.poll() is not None):
            self.jobs = subprocess.Popen([sys.executable, "-m", "control.cli.jobs", "--with-parent"])

    def reload(self) -> None:
        super().reload()
        self.end_jobs()  # the next one reads the new settings

    def stop(self, graceful: bool = True) -> None:
        self.end_jobs()
        super().stop(graceful)
        if self.jobs:
            self.jobs.kill()  # another one takes over what it was at

    def end_jobs(self) -> None:
        if self.jobs:
            self.jobs.terminate()


class Api(BaseApplication):
    """The application that gunicorn runs. A worker loads it after its fork."""

    def __init__(self, config: ControlConfig) -> None:
        self.config = config
        super().__init__(prog="fastmdns api")

    def run(self) -> None:
        Master(self).run()

    def load_config(self) -> None:
        for key, value in gunicorn_settings(self.config).items():
            self.cfg.set(key, value)

    def load(self) -> Wsgi:
        from control.api.app import create_app  # here, since the worker is patched by now
        from control.central.core import open_core

        return with_metrics(create_app(open_core(self.config)), self.config.metrics)

    def reload(self) -> None:
        """Settings that are wrong leave those in force."""
        try:
            self.config = load()
        except ConfigError as error:
            logs.error("settings refused, the old ones stay", reason=error)
            return
        logs.start(self.config.log_format)
        logs.info("settings read again")
        self.do_load_config()


def gunicorn_settings(config: ControlConfig) -> dict[str, Any]:
    """Our settings in gunicorn's words."""
    return {
        "bind": [*config.listen, *([config.metrics] if config.metrics else [])],
        "workers": config.workers or len(os.sched_getaffinity(0)),
        "worker_class": "gevent",
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,
        "graceful_timeout": SECONDS_TO_FINISH,
        "timeout": SECONDS_WITHOUT_SIGN,
        "keepalive": SECONDS_IDLE,
        "logger_class": Log,
        "loglevel": "warning",
        "control_socket_disable": True,
        "when_ready": _ready,
        "post_fork": _forked,
    }


def _forked(master: Arbiter, worker: Any) -> None:
    """Until the worker has handlers of its own it has the master's, which would swallow a SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _ready(master: Arbiter) -> None:
    logs.info("ready", listen=",".join(master.app.config.listen), metrics=master.app.config.metrics or "-")


def with_metrics(app: Wsgi, address: str) -> Wsgi:
    """The application, and the metrics on their own port."""
    if not address:
        return app
    port = str(split_endpoint(address)[1])

    def dispatch(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return (metrics_page if environ["SERVER_PORT"] == port else app)(environ, start_response)

    return dispatch


def metrics_page(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    from control import metrics  # here: what counts must be imported after the patch

    if environ["PATH_INFO"] != "/metrics":
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []
    body = metrics.exposition()
    start_response("200 OK", [("Content-Type", metrics.CONTENT_TYPE), ("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    config = load()
    logs.start(config.log_format)
    folder = tempfile.mkdtemp(prefix="fastmdns-api-")
    os.environ[METRICS_FOLDER] = folder
    master = os.getpid()
    try:
        Api(config).run()
    finally:
        if os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
