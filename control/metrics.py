# SPDX-License-Identifier: Apache-2.0
"""Every number that the control plane counts, as attributes; nothing else names a metric.

Where PROMETHEUS_MULTIPROC_DIR was set before this module was imported, each process counts in files of its own in that
folder and exposition() adds them up, those of processes that have ended included.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from fastmdns import __version__

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

http_requests = Counter(
    "fastmdns_http_requests", "Requests answered, by the operation's path.", ("method", "route", "code")
)
http_seconds = Histogram(
    "fastmdns_http_request_duration_seconds",
    "From a request's first octet read to its answer's last octet written.",
    ("method", "route"),
    buckets=SECONDS,
)
database_seconds = Histogram(
    "fastmdns_database_transaction_seconds", "Transactions, waiting for locks included.", ("kind",), buckets=SECONDS
)
database_retries = Counter(
    "fastmdns_database_retries", "Transactions begun again after a deadlock, a lost connection or the like."
)


class BuildInfo:
    """What runs, as a metric that is always 1."""

    def collect(self) -> Iterable[Metric]:
        labels = {"version": __version__, "python": platform.python_version()}
        family = GaugeMetricFamily("fastmdns_control_build_info", "What runs.", labels=list(labels))
        family.add_metric(list(labels.values()), 1)
        yield family


def exposition() -> bytes:
    """All numbers, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(BuildInfo())
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return generate_latest(registry)
