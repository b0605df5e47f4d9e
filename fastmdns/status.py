# SPDX-License-Identifier: Apache-2.0
"""`fastmdns status`: what a running server says of itself at /status, as a table or as the JSON it is."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import click

from fastmdns.config import split_endpoint
from fastmdns.errors import FastmdnsError

SECONDS = 5.0
ZONES_SHOWN = 40


class StatusError(FastmdnsError):
    """The server's status can't be had."""


def fetch(address: str) -> dict[str, Any]:
    """The status of the server whose metrics address this is."""
    host, port = split_endpoint(address)
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", "/status")
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise StatusError(f"{address} answers {response.status} {response.reason}: is it fastmdns?")
        status = json.loads(body)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise StatusError(f"no server answers on {address}: {reason} (say its metrics address)") from None
    except ValueError:
        raise StatusError(f"{address} answers something else than a status: is it fastmdns?") from None
    finally:
        connection.close()
    if not isinstance(status, dict):
        raise StatusError(f"{address} answers something else than a status: is it fastmdns?")
    return status


def show(address: str, as_json: bool) -> int:
    """Print it. Exit code 1 where a zone is not as its file says, or the server is not ready."""
    status = fetch(address)
    if as_json:
        click.echo(json.dumps(status))
    else:
        click.echo("\n".join(lines(status, time.time())))
    return int(not status.get("ready") or any(map(_has_failed, status.get("zones", []))))


def lines(status: dict[str, Any], now: float) -> Iterator[str]:
    state = "ready" if status.get("ready") else "not ready"
    yield f"fastmdns {status.get('version', '')} {state}"
    yield from _section("processes", [_process(row, now) for row in status.get("processes", [])])
    zones = sorted(status.get("zones", []), key=lambda zone: (not _has_failed(zone), zone["zone"]))
    yield from _section("zones", [_zone(zone) for zone in zones[:ZONES_SHOWN]])
    if len(zones) > ZONES_SHOWN:
        yield f"  and {len(zones) - ZONES_SHOWN} more; --json shows all"
    yield from _section("notify", [_notify(row) for row in status.get("notify", [])])
    yield from _section("counters", [[name, f"{count}"] for name, count in status.get("counters", {}).items() if count])


def _has_failed(zone: dict[str, Any]) -> bool:
    return str(zone["state"]).startswith("failed")


def _process(row: dict[str, Any], now: float) -> list[str]:
    if not row["pid"]:
        return [row["name"], "down"]
    return [row["name"], f"pid {row['pid']}", f"up {duration(now - row['started_at'])}", f"start {row['generation']}"]


def _zone(zone: dict[str, Any]) -> list[str]:
    facts = [zone["zone"], f"serial {zone['serial']}", f"{zone['records']} records", zone["state"]]
    return [*facts, *zone["problems"][:1]]


def _notify(row: dict[str, Any]) -> list[str]:
    return [row["target"], f"{row['waiting']} waiting", "silent" if row["silent"] else "answers"]


def _section(title: str, rows: list[list[str]]) -> Iterator[str]:
    """A heading, then the rows with their columns aligned."""
    if not rows:
        return
    yield title
    columns = max(map(len, rows))
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(columns)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()


def duration(seconds: float) -> str:
    """`3 s`, `5 min`, `7 h`, `9 d`: the largest unit that gives a number above 1."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"
