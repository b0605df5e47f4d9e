# SPDX-License-Identifier: Apache-2.0
"""Real name servers on loopback: BIND, NSD, Knot and PowerDNS as primaries or secondaries, and fastmdns beside them.

One object is one daemon: `with Bind(folder, zones) as server:` writes its configuration, starts it on a free port and
returns once it answers; leaving the block stops it by its process id. A `Zone` with a `file` is served as a primary,
one with a `primary` is transferred from there. Nothing listens outside loopback, nothing is written outside the folder,
and limits that protect a public server (rates, quotas, connection counts) are raised out of the way, so that tests and
benchmarks measure the servers and not their defaults. A daemon that dies or is late raises NameserverError with the end
of its log.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple, Self, TypeVar

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.tsig
import dns.wire

import fastmdns

LOOPBACK = "127.0.0.1"
LOOPBACK_IPV6 = "::1"
LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")
# Below Linux's range for outgoing connections (32768 up): no client's socket takes a port between choice and use.
PORTS = range(10_000, 32_000)
POWERDNS_SCHEMAS = Path("/usr/share/pdns-backend-sqlite3/schema")
LOG_END = 4_000
# Types whose rdata is so many names, and nothing else.
OLD_NAMES = {3: 1, 4: 1, 7: 1, 8: 1, 9: 1, 14: 2}  # MD MF MB MG MR MINFO

T = TypeVar("T")
TsigContext = dns.tsig.HMACTSig | dns.tsig.GSSTSig | None


class NameserverError(Exception):
    pass


class Address(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key; the secret is base64."""

    name: str
    algorithm: str = "hmac-sha256"
    secret: str = "ZmFzdG1kbnMgaW50ZXJvcCBrZXksIDMyIG9jdGV0cw=="

    def keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        name = dns.name.from_text(self.name)
        return {name: dns.tsig.Key(name, self.secret, self._algorithm())}

    def _algorithm(self) -> str | dns.name.Name:
        return dns.tsig.HMAC_MD5 if self.algorithm == "hmac-md5" else self.algorithm


@dataclass(frozen=True, slots=True)
class Zone:
    """Served from `file` as a primary, or fetched from `primary`; with a key, transfers of it are signed."""

    name: str
    file: Path | None = None
    primary: Address | None = None
    key: Key | None = None


class Record(NamedTuple):
    owner: dns.name.Name
    rrtype: int
    ttl: int
    rdata: dns.rdata.Rdata


Comparable = tuple[bytes, int, int, bytes]


def canonical(records: Iterable[Record]) -> set[Comparable]:
    """Records in the canonical form of RFC 4034 §6.2, in which two servers agree whatever case they keep."""
    return {(r.owner.to_digestable(), r.rrtype, r.ttl, r.rdata.to_digestable()) for r in records}


def exact(records: Iterable[Record]) -> set[Comparable]:
    """Records octet by octet: the case of every name counts."""
    return {(r.owner.to_wire() or b"", r.rrtype, r.ttl, r.rdata.to_wire() or b"") for r in records}


# -- waiting ----------------------------------------------------------------------------------------------------------


def wait_until(claim: str, probe: Callable[[], T | None], seconds: float, pause: float = 0.01) -> T:
    """The first result of probe that is neither None nor False."""
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result is not None and result is not False:
            return result
        if time.monotonic() > deadline:
            raise NameserverError(f"not within {seconds:g} s: {claim}")
        time.sleep(pause)


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free for UDP and TCP."""
    for _ in range(200):
        port = random.choice(PORTS)
        if _is_free(host, port):
            return port
    raise NameserverError(f"no free port on {host}")


def has_ipv6() -> bool:
    """Many containers have no ::1."""
    return _is_free(LOOPBACK_IPV6, 0)


def _is_free(host: str, port: int) -> bool:
    family = _family(host)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.socket(family, socket.SOCK_STREAM) as tcp:
            udp.bind((host, port))
            tcp.bind((host, port))
    except OSError:
        return False
    return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


# -- asking -----------------------------------------------------------------------------------------------------------


def ask_serial(address: Address, zone: str, key: Key | None = None, seconds: float = 0.5) -> int | None:
    """The serial a server answers over UDP; None if it does not serve the zone (yet)."""
    query = dns.message.make_query(zone, "SOA")
    if key is not None:
        query.use_tsig(key.keyring())
    reply = _exchange(address, query.to_wire(), seconds)
    if reply is None:
        return None
    message = dns.message.from_wire(reply, keyring=query.keyring, request_mac=query.mac)
    found = message.get_rrset(message.answer, query.question[0].name, dns.rdataclass.IN, dns.rdatatype.SOA)
    if found is None:
        return None
    soa = found[0]
    assert isinstance(soa, dns.rdtypes.ANY.SOA.SOA)
    return soa.serial


def _exchange(address: Address, query: bytes, seconds: float) -> bytes | None:
    """The answer over UDP, or None when nothing came that belongs to the query."""
    with socket.socket(_family(address.host), socket.SOCK_DGRAM) as udp:
        udp.settimeout(seconds)
        try:
            udp.connect(address)
            udp.send(query)
            reply = udp.recv(65_535)
        except (TimeoutError, ConnectionRefusedError):
            return None
    return reply if reply[:2] == query[:2] else None


def messages(address: Address, zone: str, key: Key | None = None, seconds: float = 30) -> Iterator[bytes]:
    """The messages of one whole transfer (AXFR) as they came, each with its TSIG verified when there is a key."""
    query = dns.message.make_query(zone, "AXFR")
    if key is not None:
        query.use_tsig(key.keyring())
    wire = query.to_wire()
    context: TsigContext = None
    with socket.create_connection(address, timeout=seconds) as stream, stream.makefile("rb") as reader:
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        while length := reader.read(2):
            answer = reader.read(struct.unpack("!H", length)[0])
            if rcode := answer[3] & 0x0F:
                raise NameserverError(f"AXFR of {zone} from {address}: {dns.rcode.to_text(dns.rcode.Rcode(rcode))}")
            if key is not None:
                context = _verified(answer, query, context)
            yield answer


def _verified(answer: bytes, query: dns.message.Message, context: TsigContext) -> TsigContext:
    """What the TSIG of the next message continues; raises where this one has none, or a wrong one."""
    message = dns.message.from_wire(
        answer, keyring=query.keyring, request_mac=query.mac, xfr=True, tsig_ctx=context, multi=True
    )
    if not message.had_tsig:
        raise NameserverError("a message of a signed transfer has no TSIG")
    return message.tsig_ctx


def transfer(address: Address, zone: str, key: Key | None = None, seconds: float = 30) -> list[Record]:
    """All records of a zone as a server gives them, the SOA once and first."""
    records: list[Record] = []
    for message in messages(address, zone, key, seconds):
        for record in _answers(message):
            if records and record.rrtype == dns.rdatatype.SOA:
                return records
            records.append(record)
    raise NameserverError(f"AXFR of {zone} from {address} ended after {len(records)} records without its last SOA")


def _answers(message: bytes) -> Iterator[Record]:
    parser = dns.wire.Parser(message)
    _, _, questions, answers, _, _ = parser.get_struct("!6H")
    for _ in range(questions):
        parser.get_name(decompress=True)
        parser.get_struct("!HH")
    for _ in range(answers):
        owner = parser.get_name(decompress=True)
        rrtype, rrclass, ttl, size = parser.get_struct("!HHIH")
        with parser.restrict_to(size):
            rdata = _rdata(dns.rdataclass.RdataClass(rrclass), dns.rdatatype.RdataType.make(rrtype), parser)
            yield Record(owner, rrtype, ttl, rdata)


def _rdata(
    rrclass: dns.rdataclass.RdataClass, rrtype: dns.rdatatype.RdataType, parser: dns.wire.Parser
) -> dns.rdata.Rdata:
    """dnspython takes the oldest types for opaque octets, although their names may be compressed (RFC 3597 §4)."""
    if rrtype in OLD_NAMES:
        names = b"".join(parser.get_name(decompress=True).to_wire() or b"" for _ in range(OLD_NAMES[rrtype]))
        return dns.rdata.GenericRdata(rrclass, rrtype, names)
    return dns.rdata.from_wire_parser(rrclass, rrtype, parser)


def zone_text(address: Address, zone: str) -> str:
    """A transfer as dig prints it, one record a line: for zones so large that dnspython would take minutes."""
    command = ["dig", f"@{address.host}", "-p", str(address.port), zone, "AXFR", "+noall", "+answer", "+onesoa"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def one_line(record: str) -> str:
    """A record's line without what tools print differently: runs of blanks, and blanks inside rdata."""
    owner, ttl, rrclass, rrtype, rdata = record.split(None, 4)
    return f"{owner} {ttl} {rrclass} {rrtype} {''.join(rdata.split())}"


# -- daemons ----------------------------------------------------------------------------------------------------------


class Nameserver(ABC):
    """One daemon. `processes` is its number of processes or threads that answer queries."""

    program: ClassVar[str]

    def __init__(self, folder: Path, zones: Iterable[Zone], *, host: str = LOOPBACK, processes: int = 1) -> None:
        self.folder = folder
        self.zones = tuple(zones)
        self.address = Address(host, free_port(host))
        self.processes = processes
        self.log = folder / f"{self.program}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every key that one of the zones uses."""
        return tuple({zone.key.name: zone.key for zone in self.zones if zone.key is not None}.values())

    @classmethod
    def installed(cls) -> bool:
        return find_program(cls.program) is not None

    @abstractmethod
    def configure(self) -> Sequence[str | Path]:
        """Writes what the daemon reads, returns the arguments that keep it in the foreground."""

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, seconds: float = 60) -> None:
        """Starts the daemon and returns once it answers for every zone it has as a file."""
        self.launch()
        self.wait_ready(seconds)

    def launch(self) -> None:
        """Starts the daemon and waits for nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = self.configure()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # Should this process be killed outright, the kernel stops the daemon too.
                ["setpriv", "--pdeathsig", "TERM", "--", self._executable(), *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        self._wait("it answers queries", self._answers, seconds)
        for name in [zone.name for zone in self.zones if zone.file is not None]:
            self._wait(f"it serves {name}", functools.partial(self.serial, name), deadline - time.monotonic())

    def stop(self, seconds: float = 20) -> None:
        """Ends the daemon by its process id; what is left of its session after the deadline is killed."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise NameserverError(f"{self.program} is not running")
        return self._process.pid

    def pids(self) -> list[int]:
        """The daemon's processes, itself first."""
        found = [self.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            with contextlib.suppress(FileNotFoundError):
                found += [int(child) for child in children.read_text().split()]
        return found

    def serial(self, zone: str) -> int | None:
        """The serial it serves now; None while it has not loaded the zone."""
        return ask_serial(self.address, zone)

    def wait_serial(self, zone: str, serial: int, seconds: float = 20) -> None:
        """Returns once the zone is served with exactly this serial."""
        self._wait(f"{zone} has serial {serial}", lambda: self.serial(zone) == serial, seconds)

    def records(self, zone: str, key: Key | None = None) -> list[Record]:
        return transfer(self.address, zone, key)

    def ask(self, name: str, rrtype: str) -> dns.message.Message:
        """The answer to one question over TCP."""
        return dns.query.tcp(dns.message.make_query(name, rrtype), self.address.host, 10, self.address.port)

    def log_end(self) -> str:
        if not self.log.exists():
            return f"{self.log}: not written"
        return f"{self.log} ends with:\n{self.log.read_text(errors='replace')[-LOG_END:]}"

    def _answers(self) -> bool:
        name = self.zones[0].name if self.zones else "."
        return _exchange(self.address, dns.message.make_query(name, "SOA").to_wire(), 0.5) is not None

    def _wait(self, claim: str, probe: Callable[[], T | None], seconds: float) -> None:
        try:
            wait_until(claim, lambda: self._alive() and probe(), seconds)
        except NameserverError as error:
            raise NameserverError(f"{self.program}: {error}\n{self.log_end()}") from None

    def _alive(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise NameserverError("it ended")
        return True

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def _executable(self) -> Path:
        """The program; a copy of it where AppArmor would keep the installed one away from the folder."""
        program = find_program(self.program)
        if program is None:
            raise NameserverError(f"{self.program} is not installed: run `make peers`")
        if not _apparmor_is_on():
            return program
        return Path(shutil.copy2(program, self.folder / f"{self.program}.copy"))


def find_program(name: str) -> Path | None:
    """A program of the path, or of the folders for daemons that a normal user's path lacks."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin")
    return Path(found) if found else None


def _apparmor_is_on() -> bool:
    enabled = Path("/sys/module/apparmor/parameters/enabled")
    return enabled.exists() and enabled.read_text().startswith("Y")


class Bind(Nameserver):
    program = "named"

    def configure(self) -> Sequence[str | Path]:
        keys = "".join(
            f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n' for key in self.keys
        )
        zones = "".join(map(self._zone, self.zones))
        path = self._write("named.conf", f"{keys}{self._options()}controls {{ }};\n{zones}")
        return ["-g", "-n", str(self.processes), "-c", path]

    def _options(self) -> str:
        family = "listen-on-v6" if ":" in self.address.host else "listen-on"
        other = "listen-on" if ":" in self.address.host else "listen-on-v6"
        return f"""options {{
    directory "{self.folder}";
    pid-file none; session-keyfile none; lock-file none; managed-keys-directory "{self.folder}";
    {family} port {self.address.port} {{ {self.address.host}; }};
    {other} {{ none; }};
    recursion no; dnssec-validation no; empty-zones-enable no; minimal-responses yes;
    notify no; check-names primary ignore; check-names secondary ignore; masterfile-format text;
    allow-query {{ any; }}; allow-transfer {{ any; }}; allow-notify {{ any; }};
    transfers-in 10000; transfers-out 10000; transfers-per-ns 10000;
    tcp-clients 10000; tcp-listen-queue 1000; serial-query-rate 10000; notify-rate 10000; startup-notify-rate 10000;
    max-records-per-type 0; max-types-per-name 0;
}};
"""

    def _zone(self, zone: Zone) -> str:
        if zone.primary is None:
            return f'zone "{zone.name}" {{ type primary; file "{zone.file}"; }};\n'
        key = f' key "{zone.key.name}"' if zone.key else ""
        source = f"{zone.primary.host} port {zone.primary.port}{key}"
        return f'zone "{zone.name}" {{ type secondary; primaries {{ {source}; }}; }};\n'


class Nsd(Nameserver):
    program = "nsd"

    def configure(self) -> Sequence[str | Path]:
        keys = "".join(
            f'key:\n  name: "{key.name}"\n  algorithm: {key.algorithm}\n  secret: "{key.secret}"\n' for key in self.keys
        )
        path = self._write("nsd.conf", self._server() + keys + "".join(map(self._zone, self.zones)))
        return ["-d", "-c", path]

    def _server(self) -> str:
        folder = self.folder
        return f"""server:
  ip-address: {self.address.host}@{self.address.port}
  server-count: {self.processes}
  reuseport: {"yes" if self.processes > 1 else "no"}
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  zonefiles-write: 0
  verbosity: {1 if any(zone.primary for zone in self.zones) else 0}
  xfrd-reload-timeout: 0
  xfrd-tcp-max: 512
  xfrd-tcp-pipeline: 128
  tcp-count: 2000
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
"""

    def _zone(self, zone: Zone) -> str:
        key = zone.key.name if zone.key else "NOKEY"
        access = [f"  provide-xfr: {network} {name}\n" for network in LOOPBACK_NETWORKS for name in {key, "NOKEY"}]
        lines = [f'zone:\n  name: "{zone.name}"\n', *access]
        if zone.primary is None:
            lines.append(f'  zonefile: "{zone.file}"\n')
        else:
            lines.append(f"  request-xfr: {zone.primary.host}@{zone.primary.port} {key}\n")
            lines += [f"  allow-notify: {network} {name}\n" for network in LOOPBACK_NETWORKS for name in {key, "NOKEY"}]
        return "".join(lines)


class Knot(Nameserver):
    program = "knotd"

    def configure(self) -> Sequence[str | Path]:
        path = self._write("knot.conf", self._server() + self._keys() + self._remotes() + self._zones())
        return ["-c", path]

    def _server(self) -> str:
        return f"""server:
    rundir: "{self.folder}"
    listen: "{self.address.host}@{self.address.port}"
    udp-workers: {self.processes}
    tcp-workers: {self.processes}
    background-workers: {max(2, self.processes)}
    tcp-max-clients: 5000
    tcp-idle-timeout: 30
    tcp-io-timeout: 30000
    tcp-remote-io-timeout: 30000
log:
  - target: stderr
    any: info
database:
    storage: "{self.folder}"
"""

    def _keys(self) -> str:
        rows = "".join(
            f'  - id: "{key.name}"\n    algorithm: {key.algorithm}\n    secret: {key.secret}\n' for key in self.keys
        )
        return f"key:\n{rows}" if rows else ""

    def _remotes(self) -> str:
        """One remote for each pair of primary and key; rules that let loopback transfer and notify, signed or not."""
        remotes = "".join(
            f'  - id: "{self._remote(zone)}"\n    address: "{zone.primary.host}@{zone.primary.port}"\n'
            + self._key_line(zone.key.name if zone.key else "")
            for zone in {self._remote(zone): zone for zone in self.zones}.values()
            if zone.primary
        )
        networks = ", ".join(LOOPBACK_NETWORKS)
        rules = "".join(
            f'  - id: "{name or "unsigned"}"\n    address: [{networks}]\n    action: [transfer, notify]\n'
            + self._key_line(name)
            for name in ["", *(key.name for key in self.keys)]
        )
        return (f"remote:\n{remotes}" if remotes else "") + f"acl:\n{rules}"

    @staticmethod
    def _key_line(name: str) -> str:
        return f'    key: "{name}"\n' if name else ""

    def _remote(self, zone: Zone) -> str:
        host, port = zone.primary or self.address
        return f"{host}-{port}-{zone.key.name if zone.key else 'unsigned'}"

    def _zones(self) -> str:
        rules = ", ".join(f'"{name}"' for name in ["unsigned", *(key.name for key in self.keys)])
        template = f"""template:
  - id: default
    acl: [{rules}]
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
"""
        return template + "zone:\n" + "".join(map(self._zone, self.zones))

    def _zone(self, zone: Zone) -> str:
        source = f'    file: "{zone.file}"\n' if zone.primary is None else f'    master: "{self._remote(zone)}"\n'
        load = "    zonefile-load: none\n" if zone.primary else ""
        return f'  - domain: "{zone.name}"\n{source}{load}'


class PowerDns(Nameserver):
    """With the bind backend when every zone is a file; with SQLite when one is transferred, or when asked for."""

    program = "pdns_server"

    def __init__(
        self,
        folder: Path,
        zones: Iterable[Zone],
        *,
        host: str = LOOPBACK,
        processes: int = 1,
        sqlite: bool = False,
    ) -> None:
        super().__init__(folder, zones, host=host, processes=processes)
        self.sqlite = sqlite or any(zone.primary for zone in self.zones)

    def configure(self) -> Sequence[str | Path]:
        backend = self._sqlite_backend() if self.sqlite else self._bind_backend()
        settings = {**self._server(), **backend}
        self._write("pdns.conf", "".join(f"{name}={value}\n" for name, value in settings.items()))
        if self.sqlite:
            self._load_files()
        return [f"--config-dir={self.folder}"]

    def _server(self) -> dict[str, object]:
        cached = 0 if any(zone.primary for zone in self.zones) else 20  # a cached SOA would hide a transfer just done
        return {
            "local-address": self.address.host,
            "local-port": self.address.port,
            "socket-dir": self.folder,
            "daemon": "no",
            "guardian": "no",
            "disable-syslog": "yes",
            "loglevel": 5,
            "secondary": "yes",
            "xfr-cycle-interval": 1,
            "retrieval-threads": max(4, self.processes),
            "receiver-threads": self.processes,
            "distributor-threads": 1 if self.processes > 1 else 3,
            "reuseport": "yes" if self.processes > 1 else "no",
            "signing-threads": 1,
            "max-tcp-connections": 5000,
            "tcp-idle-timeout": 30,
            "xfr-max-received-mbytes": 0,
            "allow-axfr-ips": ",".join(LOOPBACK_NETWORKS),
            "allow-notify-from": ",".join(LOOPBACK_NETWORKS),
            "cache-ttl": cached,
            "query-cache-ttl": cached,
            "negquery-cache-ttl": cached,
            "zone-metadata-cache-ttl": cached,
        }

    def _bind_backend(self) -> dict[str, object]:
        zones = "".join(f'zone "{zone.name}" {{ type master; file "{zone.file}"; }};\n' for zone in self.zones)
        config = self._write("named.conf", f'options {{ directory "{self.folder}"; }};\n{zones}')
        database = self.folder / "metadata.sqlite3"
        with self._database(database, "bind-dnssec.schema.sqlite3.sql") as rows:
            self._insert_keys(rows)
            rows.executemany("INSERT INTO domainmetadata (domain, kind, content) VALUES (?, ?, ?)", self._metadata())
        return {"launch": "bind", "bind-config": config, "bind-dnssec-db": database, "bind-check-interval": 0}

    def _sqlite_backend(self) -> dict[str, object]:
        database = self.folder / "zones.sqlite3"
        domains = [
            (plain_name(zone.name), str(zone.primary or ""), "SLAVE" if zone.primary else "NATIVE")
            for zone in self.zones
        ]
        with self._database(database, "schema.sqlite3.sql") as rows:
            self._insert_keys(rows)
            rows.executemany("INSERT INTO domains (name, master, type) VALUES (?, ?, ?)", domains)
            rows.executemany(
                "INSERT INTO domainmetadata (domain_id, kind, content) SELECT id, ?2, ?3 FROM domains WHERE name = ?1",
                self._metadata(),
            )
        return {
            "launch": "gsqlite3",
            "gsqlite3-database": database,
            "gsqlite3-dnssec": "yes",
            "gsqlite3-pragma-synchronous": 0,
        }

    def _metadata(self) -> list[tuple[str, str, str]]:
        kinds = ("AXFR-MASTER-TSIG", "TSIG-ALLOW-AXFR")
        signed = [(zone.name, zone.key) for zone in self.zones if zone.key]
        return [(plain_name(name), kind, plain_name(key.name)) for name, key in signed for kind in kinds]

    def _insert_keys(self, rows: sqlite3.Connection) -> None:
        values = [(plain_name(key.name), key.algorithm, key.secret) for key in self.keys]
        rows.executemany("INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)", values)

    def _load_files(self) -> None:
        for zone in self.zones:
            if zone.file is not None:
                command = ["pdnsutil", f"--config-dir={self.folder}", "load-zone", zone.name, str(zone.file)]
                with self.log.open("ab") as log:
                    subprocess.run(command, check=True, stdout=log, stderr=log)

    @contextlib.contextmanager
    def _database(self, path: Path, schema: str) -> Iterator[sqlite3.Connection]:
        path.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(path)) as rows, rows:
            rows.executescript((POWERDNS_SCHEMAS / schema).read_text())
            yield rows


def plain_name(name: str) -> str:
    """A name as PowerDNS stores it: lower-case, without its last dot."""
    return name.lower().rstrip(".") or "."


class Fastmdns(Nameserver):
    """Ours. A zone with a key goes to who signs with it, any other to all of loopback; `notify` hears of changes."""

    program = "fastmdns"

    def __init__(
        self,
        folder: Path,
        zones: Iterable[Zone],
        *,
        host: str = LOOPBACK,
        processes: int = 1,
        notify: Iterable[Address] = (),
    ) -> None:
        super().__init__(folder, zones, host=host, processes=processes)
        self.notify = tuple(notify)

    def configure(self) -> Sequence[str | Path]:
        settings = {
            "listen": [str(self.address)],
            "processes": self.processes,
            "store": str(self.folder / "store"),
            "metrics": "",
            "max_connections_per_address": 1000,
            "max_transfers_per_address": 1000,
        }
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        path = self._write("fastmdns.toml", "".join([*lines, *map(self._key, self.keys), *map(self._zone, self.zones)]))
        return ["-m", "fastmdns", "serve", "--config", path]

    def environment(self) -> dict[str, str]:
        """The package these tests import, installed or not, and no settings of the person who runs them."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FASTMDNS_")}
        return {**inherited, "PYTHONPATH": str(Path(fastmdns.__file__).parent.parent)}

    def serial(self, zone: str) -> int | None:
        [key] = [served.key for served in self.zones if served.name == zone]
        return ask_serial(self.address, zone, key)

    def reload(self) -> None:
        """Says that zone files changed."""
        os.kill(self.pid, signal.SIGHUP)

    def _key(self, key: Key) -> str:
        return (
            f"[[tsig_keys]]\nname = {json.dumps(key.name)}\nalgorithm = {json.dumps(key.algorithm)}\n"
            f"secret = {json.dumps(key.secret)}\n"
        )

    def _zone(self, zone: Zone) -> str:
        suffix = f",key:{zone.key.name}" if zone.key else ""
        allow = [f"key:{zone.key.name}"] if zone.key else list(LOOPBACK_NETWORKS)
        notify = [f"{address}{suffix}" for address in self.notify]
        return (
            f"[[zones]]\napex = {json.dumps(zone.name)}\npath = {json.dumps(str(zone.file))}\n"
            f"allow = {json.dumps(allow)}\nnotify = {json.dumps(notify)}\n"
        )

    def _executable(self) -> Path:
        return Path(sys.executable)


PEERS: tuple[type[Nameserver], ...] = (Bind, Nsd, Knot, PowerDns)
