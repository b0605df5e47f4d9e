# SPDX-License-Identifier: Apache-2.0
"""The two APIs that are measured, each over a database that bulk.py filled, and how the same work is asked of them.

Ours is what `fastmdns api` becomes, with one worker for each core and no quotas. PowerDNS is `pdns_server` with its
HTTP API; it answers no DNS queries meanwhile. Neither's promise about a commit is relaxed.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import URL

from bench.client import LoadError
from bench.control.bulk import NAME_SERVERS, PROJECT, Content
from bench.control.load import ask, request
from bench.servers import ROOT
from tests.nameservers import LOOPBACK, Address, Nameserver, PowerDns, find_program, free_port

PAGE = 100
PAUSE = 0.1  # seconds between looks at an import
QUOTAS = ("zones", "zone_recordsets", "zone_records", "recordset_records", "api_export_size")


class Api(Nameserver):
    """One API server. api: where it answers HTTP."""

    api: Address
    url: URL
    content: Content
    headers: Mapping[str, str]

    def new_zones(self, tag: str) -> Iterator[bytes]:
        """Requests that create zones, without end."""
        return (self.create_zone(f"{tag}-{number}.bench.") for number in itertools.count())

    def new_recordsets(self, tag: str, zones: Sequence[int]) -> Iterator[bytes]:
        """Requests that each put a new recordset into one of these zones, in turn, without end."""
        for number, zone in enumerate(itertools.cycle(zones)):
            yield self.create_recordset(zone, f"{tag}-{number}.{self.content.name(zone)}")

    @abstractmethod
    def create_zone(self, name: str) -> bytes: ...

    @abstractmethod
    def create_recordset(self, zone: int, name: str) -> bytes: ...

    @abstractmethod
    def recordsets_in(self, zone: int) -> int: ...

    @abstractmethod
    def zone_count(self) -> int: ...

    @abstractmethod
    def search_by_data(self, text: str) -> bytes: ...

    @abstractmethod
    def search_by_name(self, pattern: str) -> bytes: ...

    @abstractmethod
    def found(self, answer: Any) -> int:
        """How many recordsets a search has answered with."""

    @abstractmethod
    def import_zone(self, name: str, file: Path, seconds: float) -> int:
        """Imports the zone file and returns once it is done → how many recordsets there are then."""

    def _ask(self, path: str) -> Any:
        return ask(self.api, request("GET", path, self.headers))

    def _answers(self) -> bool:
        try:
            self._ask(self.probe)
        except LoadError:
            return False
        return True

    probe: str


class FastmdnsApi(Api):
    program = "fastmdns"
    probe = "/"

    def __init__(self, folder: Path, url: URL, content: Content, token: str = "") -> None:
        super().__init__(folder, ())
        self.api, self.url, self.content = self.address, url, content
        self.auth = "builtin" if token else "none"
        named = {"X-Auth-Project-ID": PROJECT, "X-Roles": "member"}
        self.headers = {"X-Auth-Token": token} if token else named

    @classmethod
    def installed(cls) -> bool:
        return True

    def configure(self) -> Sequence[str | Path]:
        return ["-m", "control.serving"]

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FASTMDNS_")}
        settings = {
            "database": self.url.render_as_string(hide_password=False),
            "listen": str(self.api),
            "metrics": "",
            "auth": self.auth,
            **{f"quota_{name}": "-1" for name in QUOTAS},
        }
        ours = {f"FASTMDNS_CONTROL_{name.upper()}": value for name, value in settings.items()}
        return {**inherited, **ours, "PYTHONPATH": str(ROOT)}

    def create_zone(self, name: str) -> bytes:
        return request("POST", "/v2/zones", self.headers, {"name": name, "email": "hostmaster@bench.example"})

    def create_recordset(self, zone: int, name: str) -> bytes:
        body = {"name": name, "type": "A", "ttl": 300, "records": ["192.0.2.1"]}
        return request("POST", f"/v2/zones/{self.content.zone_id(zone)}/recordsets", self.headers, body)

    def recordsets_in(self, zone: int) -> int:
        return self._recordsets(self.content.zone_id(zone))

    def zone_count(self) -> int:
        return int(self._ask("/v2/zones?limit=1")["metadata"]["total_count"])

    def page(self, what: str, marker: str = "", hide_counts: bool = False) -> bytes:
        """A request for a page of `zones` or `recordsets`."""
        headers = {**self.headers, "OpenStack-DNS-Hide-Counts": "true"} if hide_counts else self.headers
        return request("GET", f"/v2/{what}?limit={PAGE}" + (f"&marker={marker}" if marker else ""), headers)

    def search_by_data(self, text: str) -> bytes:
        return request("GET", f"/v2/recordsets?limit={PAGE}&data={quote(text)}", self.headers)

    def search_by_name(self, pattern: str) -> bytes:
        return request("GET", f"/v2/recordsets?limit={PAGE}&name={quote(pattern)}", self.headers)

    def found(self, answer: Any) -> int:
        return len(answer["recordsets"])

    def import_zone(self, name: str, file: Path, seconds: float) -> int:
        given = {**self.headers, "Content-Type": "text/dns"}
        task = ask(self.api, request("POST", "/v2/zones/tasks/imports", given, file.read_bytes()))
        deadline = time.monotonic() + seconds
        while task["status"] == "PENDING":
            if time.monotonic() > deadline:
                raise LoadError(f"the import is not done within {seconds:g} s: {task}")
            time.sleep(PAUSE)
            task = self._ask(f"/v2/zones/tasks/imports/{task['id']}")
        if task["status"] != "COMPLETE":
            raise LoadError(f"the import failed: {task}")
        return self._recordsets(task["zone_id"])

    def _recordsets(self, zone_id: str) -> int:
        return int(self._ask(f"/v2/zones/{zone_id}/recordsets?limit=1")["metadata"]["total_count"])

    def _executable(self) -> Path:
        return Path(sys.executable)


class PowerDnsApi(PowerDns, Api):
    """Two threads answer DNS; the API makes a thread and a database connection for each request by itself."""

    base = "/api/v1/servers/localhost"
    probe = base
    headers = MappingProxyType({"X-API-Key": "bench"})

    def __init__(self, folder: Path, url: URL, content: Content) -> None:
        super().__init__(folder, (), sqlite=True)
        self.api, self.url, self.content = Address(LOOPBACK, free_port()), url, content

    def configure(self) -> Sequence[str | Path]:
        backend = self._sqlite() if self.url.get_backend_name() == "sqlite" else self._postgresql()
        api = {
            "api": "yes",
            "api-key": self.headers["X-API-Key"],
            "webserver": "yes",
            "webserver-address": self.api.host,
            "webserver-port": self.api.port,
            "webserver-loglevel": "none",
        }
        settings = {**self._server(), **api, **backend}
        self._write("pdns.conf", "".join(f"{name}={value}\n" for name, value in settings.items()))
        return [f"--config-dir={self.folder}"]

    def _sqlite(self) -> dict[str, object]:
        return {"launch": "gsqlite3", "gsqlite3-database": self.url.database}

    def _postgresql(self) -> dict[str, object]:
        given = {
            "host": self.url.host,
            "port": self.url.port or 5432,
            "dbname": self.url.database,
            "user": self.url.username,
            "password": self.url.password,
        }
        return {"launch": "gpgsql", **{f"gpgsql-{key}": value for key, value in given.items() if value}}

    def create_zone(self, name: str) -> bytes:
        body = {"name": name, "kind": "Native", "nameservers": list(NAME_SERVERS)}
        return request("POST", f"{self.base}/zones?rrsets=false", self.headers, body)

    def create_recordset(self, zone: int, name: str) -> bytes:
        records = [{"content": "192.0.2.1", "disabled": False}]
        rrset = {"name": name, "type": "A", "ttl": 300, "changetype": "REPLACE", "records": records}
        return request("PATCH", f"{self.base}/zones/{self.content.name(zone)}", self.headers, {"rrsets": [rrset]})

    def recordsets_in(self, zone: int) -> int:
        return len(self._ask(f"{self.base}/zones/{self.content.name(zone)}")["rrsets"])

    def zone_count(self) -> int:
        return len(self._ask(f"{self.base}/zones"))

    def search_by_data(self, text: str) -> bytes:
        return self._search(text)

    def search_by_name(self, pattern: str) -> bytes:
        return self._search(pattern.rstrip("."))

    def _search(self, text: str) -> bytes:
        path = f"{self.base}/search-data?q={quote(text)}&max={PAGE}&object_type=record"
        return request("GET", path, self.headers)

    def found(self, answer: Any) -> int:
        return len(answer)

    def import_zone(self, name: str, file: Path, seconds: float) -> int:
        program = find_program("pdnsutil")
        if program is None:
            raise LoadError("pdnsutil is not installed: run `make peers`")
        command = [str(program), f"--config-dir={self.folder}", "load-zone", name, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
        if done.returncode:
            raise LoadError(f"pdnsutil: {done.stdout}{done.stderr}")
        return len(self._ask(f"{self.base}/zones/{name}")["rrsets"])
