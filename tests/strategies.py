# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies for names and rdata. Rdata is made from the rows of the type table, field by field."""

from __future__ import annotations

import struct
from collections.abc import Callable

from hypothesis import strategies as st

from fastmdns import rrtypes

SearchStrategy = st.SearchStrategy


def fits(name: bytes) -> bool:
    return len(name) <= 255


def wire_name(labels: list[bytes]) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


labels = st.binary(min_size=1, max_size=63) | st.sampled_from([b"a", b"ns1", b"Example", b"*", b"_tcp", b"x" * 63])
names = st.lists(labels, max_size=6).map(wire_name).filter(fits)


def counted(low: int = 0, high: int = 255) -> SearchStrategy[bytes]:
    return st.binary(min_size=low, max_size=high).map(lambda octets: bytes([len(octets)]) + octets)


def octets(count: int) -> SearchStrategy[bytes]:
    return st.binary(min_size=count, max_size=count)


def joined(items: SearchStrategy[bytes], low: int = 0, high: int = 4) -> SearchStrategy[bytes]:
    return st.lists(items, min_size=low, max_size=high).map(b"".join)


def bitmap(types: set[int]) -> bytes:
    """RFC 4034 §4.1.2, written down a second time."""
    wire = b""
    for window in sorted({rrtype >> 8 for rrtype in types}):
        low = [rrtype & 0xFF for rrtype in types if rrtype >> 8 == window]
        bits = bytearray(max(low) // 8 + 1)
        for bit in low:
            bits[bit // 8] |= 0x80 >> bit % 8
        wire += bytes([window, len(bits)]) + bits
    return wire


type_numbers = st.sampled_from([1, 2, 6, 16, 46, 47, 257, 32768]) | st.integers(1, 0xFFFF)


def decimal(limit: int) -> SearchStrategy[bytes]:
    number = st.tuples(st.integers(-limit + 1, limit - 1), st.integers(0, 9999)).map(
        lambda pair: f"{pair[0]}.{pair[1]}"
    )
    return number.map(lambda text: bytes([len(text)]) + text.encode())


def parameter(key: int, value: bytes) -> bytes:
    return struct.pack("!HH", key, len(value)) + value


def parameters() -> SearchStrategy[bytes]:
    strings = joined(counted(1, 20), 1)
    values = {
        1: strings, 3: octets(2), 4: joined(octets(4), 1), 5: st.binary(min_size=1, max_size=30),
        6: joined(octets(16), 1), 8: st.just(b""), 9: st.binary(max_size=20), 10: joined(counted(1, 20)),
        667: st.binary(max_size=20),
    }  # fmt: skip
    chosen = st.fixed_dictionaries({}, optional=values)
    plain = chosen.map(lambda found: b"".join(parameter(key, found[key]) for key in sorted(found)))
    mandatory = st.just(parameter(0, b"\0\1\0\3") + parameter(1, b"\2h2") + parameter(2, b"") + parameter(3, b"\1\xbb"))
    return plain | mandatory


def gateway(kind: int) -> SearchStrategy[bytes]:
    return (st.just(b""), octets(4), octets(16), names)[kind]


def prefix(family: int, longest: int) -> SearchStrategy[bytes]:
    address = st.binary(max_size=longest).map(lambda value: value.rstrip(b"\0"))
    fields = st.tuples(st.integers(0, longest * 8), st.booleans(), address)
    return fields.map(lambda item: struct.pack("!HBB", family, item[0], item[1] << 7 | len(item[2])) + item[2])


ALGORITHMS = st.integers(0, 255)
location = st.builds(
    lambda sizes, angles, altitude: b"\0" + bytes(sizes) + struct.pack("!III", *angles, altitude),
    st.lists(
        st.builds(lambda base, power: base << 4 | power, st.integers(1, 9), st.integers(0, 9)), min_size=3, max_size=3
    ),
    st.tuples(
        st.integers(2**31 - 90 * 3600000, 2**31 + 90 * 3600000), st.integers(2**31 - 648000000, 2**31 + 648000000)
    ),
    st.integers(0, 2**32 - 1),
)
identity = st.builds(
    lambda tag, algorithm, key: struct.pack("!BBH", len(tag), algorithm, len(key)) + tag + key,
    st.binary(min_size=1, max_size=20), ALGORITHMS, st.binary(min_size=1, max_size=40),
)  # fmt: skip

# Kind of field → strategy for its wire. Digests and gateways hang on the octet before them, see rdata_of().
FIELDS: dict[str, SearchStrategy[bytes]] = {
    "U8": octets(1), "U16": octets(2), "U32": octets(4), "U64": octets(8), "PERIOD": octets(4), "TIME": octets(4),
    "TYPE": st.integers(1, 0xFFFF).map(lambda value: struct.pack("!H", value)), "ALGORITHM": octets(1),
    "CERTIFICATE": octets(2), "SCHEME": octets(1), "IPv4": octets(4), "NAME": names, "NAMES": joined(names),
    "IPv6": octets(16) | joined(st.sampled_from([b"\0\0", b"\0\1", b"\xff\xff"]), 8, 8),
    "STRING": counted(), "OPTIONAL": counted(1) | st.just(b""), "STRINGS": joined(counted(), 1),
    "LABEL": st.from_regex(rb"[a-zA-Z0-9]{1,20}", fullmatch=True).map(lambda tag: bytes([len(tag)]) + tag),
    "TEXT": st.binary(min_size=1, max_size=300), "HEX": st.binary(min_size=1, max_size=70),
    "BASE64": st.binary(min_size=1, max_size=70), "SALT": counted(), "HASH": counted(1), "EUI48": octets(6),
    "EUI64": octets(8), "LOCATOR": octets(8), "NSAP": st.binary(min_size=1, max_size=20),
    "BITMAP": st.sets(type_numbers, min_size=1, max_size=12).map(bitmap), "PARAMETERS": parameters(),
    "LOCATION": location, "PREFIXES": joined(prefix(1, 4) | prefix(2, 16)), "IDENTITY": identity,
    "PORTS": st.binary(max_size=30),
}  # fmt: skip


def kind_of(field: rrtypes.Field) -> str:
    return type(field).__name__


@st.composite
def rdata_of(draw: Callable[[SearchStrategy[bytes]], bytes], row: rrtypes.RRType) -> bytes:
    """Valid wire of a type."""
    wire = b""
    for index, field in enumerate(row.fields):
        if isinstance(field, rrtypes.DIGEST):
            known = dict(field.lengths)
            wire = wire[:-1] + draw(st.sampled_from([*known, 200]).map(lambda value: bytes([value])))
            wire += draw(octets(known.get(wire[-1], 24)))
        elif isinstance(field, rrtypes.GATEWAY):
            kind = draw(st.integers(0, 3).map(lambda value: bytes([value])))[0]
            position = len(wire) - field.back
            wire = wire[:position] + bytes([kind]) + wire[position + 1 :] + draw(gateway(kind))
        elif isinstance(field, rrtypes.DECIMAL):
            wire += draw(decimal((90, 180, 10000)[index]))
        else:
            wire += draw(FIELDS[kind_of(field)])
    return wire
