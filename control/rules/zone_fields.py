# SPDX-License-Identifier: Apache-2.0
"""What may stand in a zone beside its name: the email, the masters, the attributes, and which of them go together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from control import soa
from control.errors import Problem
from control.model import Master, ZoneType
from control.names import to_wire
from fastmdns.errors import TextError

ATTRIBUTE_SIZE = 50
MAX_PORT = 65535
MAX_HOST = 64  # an IPv6 address with the name of an interface
# RFC 5322 §3.2.3: a dot-atom. Quoted local parts have no use in an SOA.
LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")


def email_problems(email: str) -> list[Problem]:
    """An email becomes the SOA's rname: its local part is one label of at most 63 octets."""
    local, at, domain = email.rpartition("@")
    if not at or not LOCAL_PART.fullmatch(local) or not HOST.fullmatch(domain):
        return [Problem(("email",), f"{email!r} is no email address: user@example.org is one", "format")]
    try:
        to_wire(soa.rname(email))
    except TextError as error:
        return [Problem(("email",), f"{email!r} does not fit into an SOA record: {error}", "format")]
    return []


def type_problems(kind: ZoneType, given: Mapping[str, object]) -> Iterator[Problem]:
    """given: the fields that came with a value. A SECONDARY zone's data is its primary's."""
    if kind is ZoneType.SECONDARY:
        for field in ("email", "ttl"):
            if given.get(field) is not None:
                yield Problem((field,), f"a SECONDARY zone has no {field} of its own", "not_allowed")
        if not given.get("masters"):
            yield Problem(("masters",), "a SECONDARY zone needs masters", "required", ["masters"])
        return
    if not given.get("email"):
        yield Problem(("email",), "'email' is a required property", "required", ["email"])
    if given.get("masters"):
        yield Problem(("masters",), "only a SECONDARY zone has masters", "not_allowed")


def attribute_problems(attributes: Mapping[str, str]) -> Iterator[Problem]:
    for key, value in attributes.items():
        if not key:
            yield Problem(("attributes",), "an attribute has no name", "minLength", 1)
        for what, text in (("name", key), ("value", value)):
            if len(text) > ATTRIBUTE_SIZE:
                message = f"the {what} {text[:20]!r}… is longer than {ATTRIBUTE_SIZE} characters"
                yield Problem(("attributes", key), message, "maxLength", ATTRIBUTE_SIZE)


# ------------------------------------------------------------------------------------------------------------ masters


def masters(texts: Sequence[str]) -> tuple[tuple[Master, ...], list[Problem]]:
    """The masters, and what is wrong with those that are none."""
    found: list[Master] = []
    problems = []
    for at, text in enumerate(texts):
        master = master_of(text)
        if master is None:
            message = f"{text!r} is no master: 192.0.2.1, 192.0.2.1:53, 2001:db8::1 and [2001:db8::1]:53 are"
            problems.append(Problem(("masters", at), message, "format"))
        elif master in found:
            problems.append(Problem(("masters", at), f"{text!r} is named twice", "uniqueItems"))
        else:
            found.append(master)
    return tuple(found), problems


def master_of(text: str) -> Master | None:
    """host, host:port, [host] or [host]:port; None for what is no address that can be asked."""
    host, port = _split(text.strip())
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= MAX_PORT):
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    usable = not (address.is_multicast or address.is_unspecified) and len(host) <= MAX_HOST
    return Master(str(address), int(port)) if usable else None


def _split(text: str) -> tuple[str, str]:
    """Host and port. More than one colon without brackets is a bare IPv6 address."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        port = rest.removeprefix(":") if rest else "53"
        return (host, port) if bracket and rest[:1] in ("", ":") else ("", "53")
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, "53"


def master_text(master: Master) -> str:
    """As the API shows it: without the port where that is 53."""
    if master.port == 53:
        return master.host
    return f"[{master.host}]:{master.port}" if ":" in master.host else f"{master.host}:{master.port}"
