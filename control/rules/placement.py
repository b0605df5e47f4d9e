# SPDX-License-Identifier: Apache-2.0
"""Which rrsets may be where: names, types and records, and what may stand beside what. All problems at once.

Deliberately wider than Designate: names of RFC 2317, escapes, and NS and DS at the apex of a child zone that lives here
too, because a delegation belongs to the parent (RFC 4035 §2.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from control import recorddata, structured
from control.errors import Problem
from control.model import CNAME, DNAME, DS, NS, SOA, Record
from control.names import key_of, keys_above
from fastmdns import rrtypes
from fastmdns.errors import TextError

MAX_NAME = 255  # characters of text: what is stored
SRV, TLSA, SVCB = (rrtypes.by_name(name) for name in ("SRV", "TLSA", "SVCB"))
SINGLE = (CNAME, DNAME)
CHECKED_TYPES = frozenset((SRV, TLSA, NS, SVCB, *SINGLE))  # of which content_problems() has something to say
# RFC 4034 §3, §4 and RFC 2535: what signers put beside a CNAME.
BESIDE_CNAME = frozenset(rrtypes.by_name(name) for name in ("SIG", "KEY", "NXT", "RRSIG", "NSEC"))
DELEGATION = (NS, DS)
LABEL_TEXT = re.compile(r"(?:[A-Za-z0-9_/*-]|\\[0-9]{3}|\\[!-/:-~])*")
LABEL = re.compile(r"((?:\\.|[^.\\])*)\.")
SRV_NAME = re.compile(r"_[^.]+\._[^.]+\..+")
TLSA_NAME = re.compile(r"(?:_(?P<port>[0-9]{1,5})|\*)\._[A-Za-z]+\..+")
ALIAS_MODE = b"\0\0"
ALPN, DOHPATH = 1, 7  # RFC 9460 §14.3.2, RFC 9461 §5


@dataclass(frozen=True)
class Surroundings:
    """What is there. types: by the key of a name, those in the zone; children: keys of zones that live below it."""

    types: Mapping[bytes, set[int]] = field(default_factory=dict)
    children: frozenset[bytes] = frozenset()

    @cached_property
    def with_names_below(self) -> set[bytes]:
        return {above for key, types in self.types.items() if types for above in keys_above(key)}


# ------------------------------------------------------------------------------------------- what a body says by itself


def name_problems(text: str) -> list[Problem]:
    """What keeps the text from being the name of an rrset."""
    if len(text) > MAX_NAME:
        message = f"Name too long: {len(text)} characters, {MAX_NAME} are allowed"
        return [Problem(("name",), message, "maxLength", MAX_NAME, "invalid_recordset_name")]
    reasons = list(_name_reasons(text)) or _codec_reasons(text)
    return [Problem(("name",), f"{text!r} is no name of a recordset: {reason}", "format") for reason in reasons]


def _name_reasons(text: str) -> Iterator[str]:
    ended = not LABEL.sub("", text) and text != ""
    if not ended:
        yield "it must end with a dot"
    labels = LABEL.findall(text if ended else text + ".")
    if "" in labels:
        yield "a label is empty"
    for at, label in enumerate(labels):
        if not LABEL_TEXT.fullmatch(label):
            yield f"{label!r} is no label: letters, digits, -, _ and / stand as they are, others are escaped"
        elif "*" in label.replace("\\*", "") and (at or label != "*"):
            yield "a * stands alone, as the leftmost label"
        elif label.startswith("-") or label.endswith("-"):
            yield f"the label {label!r} begins or ends with a hyphen"


def _codec_reasons(text: str) -> list[str]:
    try:
        key_of(text)
    except TextError as error:
        return [error.reason]
    return []


def read_type(text: str, supported: Sequence[str]) -> tuple[int, list[Problem]]:
    """The number of a type that tenants may use; 0 and the problem otherwise."""
    try:
        rrtype = rrtypes.by_name(text)
    except ValueError:
        return 0, [Problem(("type",), f"{text!r} is no record type: A, TXT and TYPE65280 are", "enum", list(supported))]
    row = rrtypes.row(rrtype)
    if rrtypes.to_name(rrtype) != text:
        return 0, [Problem(("type",), f"{text!r} is written {rrtypes.to_name(rrtype)}", "enum", list(supported))]
    if (row is not None and row.meta) or rrtype == 0:
        return 0, [Problem(("type",), f"{text} is a type of questions, not of records", "enum", list(supported))]
    if supported and text not in supported:
        return 0, [Problem(("type",), f"{text} is not among the supported types", "enum", list(supported))]
    return rrtype, []


def read_records(rrtype: int, given: Sequence[str | Mapping[str, Any]]) -> tuple[tuple[Record, ...], list[Problem]]:
    """The records as written, in order, each once; and what is wrong with them. given: texts or structured data."""
    found: dict[bytes, Record] = {}
    problems: list[Problem] = []
    for at, item in enumerate(given):
        try:
            record = _record(rrtype, item)
        except TextError as error:
            problems.append(Problem(("records", at), str(error), "format", [rrtypes.to_name(rrtype)]))
            continue
        same = found.setdefault(record.wire, record)
        if same.text != record.text:
            message = f"{same.text!r} and {record.text!r} are the same record"
            problems.append(Problem(("records", at), message, "uniqueItems", True))
    return tuple(found.values()), problems


def _record(rrtype: int, item: str | Mapping[str, Any]) -> Record:
    if isinstance(item, str):
        return Record(item, recorddata.to_wire(rrtype, item))
    wire = structured.from_structured(rrtype, item)
    return Record(recorddata.to_text(rrtype, wire), wire)


# -------------------------------------------------------------------------------------------- what goes with what


def content_problems(name: str, rrtype: int, records: Sequence[Record]) -> Iterator[Problem]:
    """What the type asks of the name and of the records together."""
    kind = rrtypes.to_name(rrtype)
    if rrtype == SRV and not SRV_NAME.fullmatch(name):
        yield Problem(("name",), f"{name!r} is no name of an SRV record: _sip._tcp.example.org. is one", "format")
    if rrtype == TLSA and not _is_tlsa_name(name):
        message = f"{name!r} is no name of a TLSA record: _443._tcp.www.example.org. is one"
        yield Problem(("name",), message, "format", code="bad_request")
    if rrtype == NS and name.startswith("*."):
        yield Problem(("name",), "NS records can't have a wildcard as their name", "format")
    if rrtype in SINGLE and len(records) > 1:
        yield Problem(("records",), f"a {kind} recordset has one record at most", "maxItems", 1, "bad_request")
    if rrtype == SVCB and "_dns." in name.lower():
        yield from _resolver_problems(records)


def _is_tlsa_name(name: str) -> bool:
    found = TLSA_NAME.fullmatch(name)
    return found is not None and int(found["port"] or 0) <= 0xFFFF


def _resolver_problems(records: Sequence[Record]) -> Iterator[Problem]:
    """RFC 9461 §4: a resolver says its protocols, and its path where they are HTTP."""
    for at, record in enumerate(records):
        given = dict(recorddata.parameters(record.wire))
        http = any(protocol in given.get(ALPN, b"") for protocol in (b"\2h2", b"\2h3"))
        if record.wire[:2] == ALIAS_MODE:
            continue
        if ALPN not in given:
            yield Problem(("records", at), "a record of a resolver (_dns) needs alpn", "format", ["SVCB"])
        elif http and DOHPATH not in given:
            yield Problem(("records", at), "alpn h2 and h3 of a resolver (_dns) need dohpath", "format", ["SVCB"])


def ttl_problems(ttl: int | None, least: int) -> list[Problem]:
    if ttl is None or ttl >= least:
        return []
    return [Problem(("ttl",), f"a TTL of {ttl} is below the least allowed, {least}", "minimum", least, "invalid_ttl")]


def location_problems(name: str, key: bytes, rrtype: int, apex: bytes, around: Surroundings) -> list[Problem]:
    """What keeps a new rrset from its place. around: as it will be, the new rrset included."""
    if not key.startswith(apex):
        return [_misplaced(f"{name} is not within the zone")]
    here = around.types.get(key, set()) - {rrtype}
    reasons = [*_apex_reasons(key, rrtype, apex), *_neighbour_reasons(name, key, rrtype, here, apex)]
    reasons += _dname_reasons(name, key, rrtype, around)
    if any(place in around.children for place in keys_above(key)) or (
        key in around.children and rrtype not in DELEGATION
    ):
        reasons.append(f"{name} belongs in a child zone")
    return [_misplaced(reason) for reason in reasons]


def _apex_reasons(key: bytes, rrtype: int, apex: bytes) -> Iterator[str]:
    if key == apex and rrtype == CNAME:
        yield "a CNAME can't be at the zone's apex"
    if key == apex and rrtype == DS:
        yield "the DS records of a zone belong in its parent"


def _neighbour_reasons(name: str, key: bytes, rrtype: int, here: set[int], apex: bytes) -> Iterator[str]:
    """RFC 1034 §3.6.2 for CNAME, RFC 6672 §2.3 for DNAME beside NS."""
    if rrtype == CNAME and here - BESIDE_CNAME:
        kinds = ", ".join(sorted(map(rrtypes.to_name, here - BESIDE_CNAME)))
        yield f"a CNAME can't be beside other records: {name} has {kinds}"
    if rrtype != CNAME and CNAME in here and rrtype not in BESIDE_CNAME:
        yield f"nothing can be beside a CNAME, and {name} has one"
    if key != apex and {rrtype} | here >= {NS, DNAME} and rrtype in (NS, DNAME):
        yield f"NS and DNAME can't both be at {name}, which is not the zone's apex"


def _dname_reasons(name: str, key: bytes, rrtype: int, around: Surroundings) -> Iterator[str]:
    """RFC 6672 §2.4: a DNAME stands for all names below it."""
    if any(DNAME in around.types.get(above, ()) for above in keys_above(key)):
        yield f"nothing can be below a DNAME, and there is one above {name}"
    if rrtype == DNAME and key in around.with_names_below:
        yield f"a DNAME can't have names below it, and {name} has"


def _misplaced(reason: str) -> Problem:
    return Problem(("name",), reason, "location", code="invalid_recordset_location")


def writable_problem(rrtype: int, managed: bool, edit_managed: bool) -> str | None:
    """Why tenants may not write this rrset; None where they may."""
    if rrtype == SOA:
        return "SOA recordsets are made from their zones and can't be changed"
    if managed and not edit_managed:
        return "Managed records may not be updated"
    return None
