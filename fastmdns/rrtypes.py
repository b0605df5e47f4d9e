# SPDX-License-Identifier: Apache-2.0
"""The one table of record types: a type is a row, a row is a list of fields in wire order.

shapes.pyx compiles the rows into C at import; the rdata modules derive from them the parser, the printer, the check
of received wire, decompression and which names may be compressed. A new type is one row here and one line in the test
table. The names of fields are those of errors and of record data in JSON. A row without fields has no text but RFC
3597's `\\#` form and no rule for its wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One field of rdata. The name of its class is the name of its kind in shapes.pxd."""

    name: str


class U8(Field):
    """0 to 255."""


class U16(Field):
    """0 to 65535."""


class U32(Field):
    """0 to 4294967295."""


class U64(Field):
    """Eight octets, a decimal number in text."""


class PERIOD(Field):
    """Four octets of seconds; text may use units (1w2d3h4m5s)."""


class TIME(Field):
    """Four octets of seconds since 1970; text is YYYYMMDDHHmmSS or the number (RFC 4034 §3.2)."""


class TYPE(Field):
    """A record type, by its name or as TYPE123."""


class ALGORITHM(Field):
    """A DNSSEC algorithm, by its number or its mnemonic; printed as the number."""


class CERTIFICATE(Field):
    """A certificate type of RFC 4398 §2.1, by its mnemonic or number."""


class SCHEME(Field):
    """A DSYNC scheme, by its mnemonic or number (RFC 9859 §2.2)."""


class IPv4(Field):
    """Four octets."""


class IPv6(Field):
    """Sixteen octets."""


@dataclass(frozen=True)
class NAME(Field):
    """A domain name. compress: messages may compress it, which only the types of RFC 1035 allow (RFC 3597 §4)."""

    compress: bool = False


class NAMES(Field):
    """Domain names up to the end, perhaps none."""


class STRING(Field):
    """A character-string: a length octet and as many octets."""


class OPTIONAL(Field):
    """A character-string that may be missing at the end."""


class STRINGS(Field):
    """One or more character-strings up to the end."""


class LABEL(Field):
    """A character-string of one or more ASCII letters and digits, printed without quotes."""


class DECIMAL(Field):
    """A character-string holding a decimal number such as -32.6882."""


@dataclass(frozen=True)
class TEXT(Field):
    """Octets up to the end, quoted in text."""

    least: int = 0


@dataclass(frozen=True)
class HEX(Field):
    """Octets up to the end, hexadecimal in text. least: how many there must be."""

    least: int = 1


@dataclass(frozen=True)
class DIGEST(Field):
    """Like HEX, its length given by the octet before it: pairs (value of that octet, length); others are free."""

    lengths: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class BASE64(Field):
    """Octets up to the end, base64 in text. With least=0 a lone "-" says there are none."""

    least: int = 1


class SALT(Field):
    """A length octet and as many octets, hexadecimal in text, "-" for none."""


class HASH(Field):
    """A length octet and as many octets, at least one, base32hex without padding in text."""


@dataclass(frozen=True)
class BITMAP(Field):
    """Sets of types up to the end (RFC 4034 §4.1.2). least=1: not none."""

    least: int = 0


class EUI48(Field):
    """Six octets as 00-00-5e-00-53-2a."""


class EUI64(Field):
    """Eight octets as 00-00-5e-ef-10-00-00-2a."""


class LOCATOR(Field):
    """Eight octets as four groups of four hexadecimal digits with colons between (RFC 6742)."""


class NSAP(Field):
    """Octets up to the end as 0x and hexadecimal digits, dots allowed between (RFC 1706)."""


class PARAMETERS(Field):
    """Service parameters up to the end (RFC 9460)."""


class LOCATION(Field):
    """The sixteen octets of LOC, version 0 (RFC 1876)."""


class PREFIXES(Field):
    """The items of APL up to the end (RFC 3123)."""


class PORTS(Field):
    """A bit map of ports up to the end (RFC 1035 §3.4.2)."""


class IDENTITY(Field):
    """The lengths, algorithm, identity tag and public key of HIP (RFC 8005)."""


@dataclass(frozen=True)
class GATEWAY(Field):
    """Nothing, an address or a name, by the octet `back` before it (RFC 4025 §2.5, RFC 8777 §4.2)."""

    back: int = 1


@dataclass(frozen=True)
class RRType:
    """A row. rare: its text goes through dnspython. meta: never data of a zone."""

    name: str
    number: int
    fields: tuple[Field, ...]
    rare: bool
    meta: bool


_ROWS: dict[int, RRType] = {}
_NUMBERS: dict[str, int] = {}


def _row(name: str, number: int, *fields: Field, rare: bool = False, meta: bool = False) -> None:
    if number in _ROWS or name in _NUMBERS:
        raise ValueError(f"record type {name} ({number}) stands in the table twice")
    _ROWS[number] = RRType(name, number, fields, rare, meta)
    _NUMBERS[name] = number


def rows() -> Iterator[RRType]:
    """All rows in the order of the table."""
    return iter(_ROWS.values())


def row(number: int) -> RRType | None:
    """The row of a type, or None for a type the table doesn't name."""
    return _ROWS.get(number)


def by_name(text: str) -> int:
    """The number of a type given by name or as TYPE123, whatever the case. ValueError for anything else."""
    upper = text.upper()
    if upper in _NUMBERS:
        return _NUMBERS[upper]
    digits = upper.removeprefix("TYPE")
    if len(digits) < len(upper) and digits.isascii() and digits.isdigit() and int(digits) <= 0xFFFF:
        return int(digits)
    raise ValueError(f"{text!r} is no record type")


def to_name(number: int) -> str:
    """The name of a type, TYPE123 where it has none."""
    if not 0 <= number <= 0xFFFF:
        raise ValueError(f"{number} is no record type")
    found = _ROWS.get(number)
    return found.name if found else f"TYPE{number}"


# Words that stand for numbers in fields of these kinds.
WORDS: dict[type[Field], dict[str, int]] = {
    ALGORITHM: {
        "RSAMD5": 1, "DH": 2, "DSA": 3, "ECC": 4, "RSASHA1": 5, "DSA-NSEC3-SHA1": 6, "DSANSEC3SHA1": 6, "NSEC3DSA": 6,
        "RSASHA1-NSEC3-SHA1": 7, "RSASHA1NSEC3SHA1": 7, "NSEC3RSASHA1": 7, "RSASHA256": 8, "RSASHA512": 10,
        "ECC-GOST": 12, "ECCGOST": 12, "ECDSAP256SHA256": 13, "ECDSAP384SHA384": 14, "ED25519": 15, "ED448": 16,
        "MLDSA44": 18, "INDIRECT": 252, "PRIVATEDNS": 253, "PRIVATEOID": 254,
    },
    CERTIFICATE: {
        "PKIX": 1, "SPKI": 2, "PGP": 3, "IPKIX": 4, "ISPKI": 5, "IPGP": 6, "ACPKIX": 7, "IACPKIX": 8,
        "URI": 253, "OID": 254,
    },
    SCHEME: {"NOTIFY": 1},
    PARAMETERS: {
        "MANDATORY": 0, "ALPN": 1, "NO-DEFAULT-ALPN": 2, "PORT": 3, "IPV4HINT": 4, "ECH": 5, "IPV6HINT": 6,
        "DOHPATH": 7, "OHTTP": 8, "DOCPATH": 10,
    },
}  # fmt: skip

_DS = ((1, 20), (2, 32), (3, 32), (4, 48))  # RFC 4034 §5.1.4, 4509, 5933, 6605

_row("A", 1, IPv4("address"))
_row("NS", 2, NAME("target", compress=True))
# RFC 3597 §4 lets these two be compressed, but PowerDNS 4.7 takes them for opaque octets and would keep the pointer.
_row("MD", 3, NAME("target"))
_row("MF", 4, NAME("target"))
_row("CNAME", 5, NAME("target", compress=True))
_row(
    "SOA", 6, NAME("mname", compress=True), NAME("rname", compress=True), U32("serial"),
    PERIOD("refresh"), PERIOD("retry"), PERIOD("expire"), PERIOD("minimum"),
)  # fmt: skip
_row("MB", 7, NAME("target", compress=True))
_row("MG", 8, NAME("target", compress=True))
_row("MR", 9, NAME("target", compress=True))
_row("NULL", 10)
_row("WKS", 11, IPv4("address"), U8("protocol"), PORTS("ports"), rare=True)
_row("PTR", 12, NAME("target", compress=True))
_row("HINFO", 13, STRING("cpu"), STRING("os"))
_row("MINFO", 14, NAME("rmailbx", compress=True), NAME("emailbx", compress=True))
_row("MX", 15, U16("preference"), NAME("exchange", compress=True))
_row("TXT", 16, STRINGS("strings"))
_row("RP", 17, NAME("mbox"), NAME("txt"))
_row("AFSDB", 18, U16("subtype"), NAME("hostname"))
_row("X25", 19, STRING("address"))
_row("ISDN", 20, STRING("address"), OPTIONAL("subaddress"))
_row("RT", 21, U16("preference"), NAME("host"))
_row("NSAP", 22, NSAP("address"))
_row("NSAP-PTR", 23, NAME("target"))
_row(
    "SIG", 24, TYPE("type_covered"), ALGORITHM("algorithm"), U8("labels"), PERIOD("original_ttl"),
    TIME("expiration"), TIME("inception"), U16("key_tag"), NAME("signer_name"), BASE64("signature"),
)  # fmt: skip
_row("KEY", 25, U16("flags"), U8("protocol"), ALGORITHM("algorithm"), BASE64("public_key", least=0))
_row("PX", 26, U16("preference"), NAME("map822"), NAME("mapx400"))
_row("GPOS", 27, DECIMAL("latitude"), DECIMAL("longitude"), DECIMAL("altitude"))
_row("AAAA", 28, IPv6("address"))
_row("LOC", 29, LOCATION("location"), rare=True)
_row("NXT", 30)
_row("EID", 31)
_row("NIMLOC", 32)
_row("SRV", 33, U16("priority"), U16("weight"), U16("port"), NAME("target"))
_row("ATMA", 34)
_row(
    "NAPTR", 35, U16("order"), U16("preference"), STRING("flags"), STRING("services"), STRING("regexp"),
    NAME("replacement"),
)  # fmt: skip
_row("KX", 36, U16("preference"), NAME("exchange"))
_row("CERT", 37, CERTIFICATE("type"), U16("key_tag"), ALGORITHM("algorithm"), BASE64("certificate"))
_row("A6", 38)
_row("DNAME", 39, NAME("target"))
_row("SINK", 40)
_row("OPT", 41, meta=True)
_row("APL", 42, PREFIXES("prefixes"), rare=True)
_row("DS", 43, U16("key_tag"), ALGORITHM("algorithm"), U8("digest_type"), DIGEST("digest", _DS))
_row("SSHFP", 44, U8("algorithm"), U8("fp_type"), DIGEST("fingerprint", ((1, 20), (2, 32))))
_row(
    "IPSECKEY", 45, U8("precedence"), U8("gateway_type"), U8("algorithm"), GATEWAY("gateway", back=2),
    BASE64("public_key", least=0), rare=True,
)  # fmt: skip
_row(
    "RRSIG", 46, TYPE("type_covered"), ALGORITHM("algorithm"), U8("labels"), PERIOD("original_ttl"),
    TIME("expiration"), TIME("inception"), U16("key_tag"), NAME("signer_name"), BASE64("signature"),
)  # fmt: skip
_row("NSEC", 47, NAME("next_domain"), BITMAP("types", least=1))
_row("DNSKEY", 48, U16("flags"), U8("protocol"), ALGORITHM("algorithm"), BASE64("public_key"))
_row("DHCID", 49, BASE64("data"))
_row(
    "NSEC3", 50, U8("hash_algorithm"), U8("flags"), U16("iterations"), SALT("salt"), HASH("next_hashed_owner"),
    BITMAP("types"),
)  # fmt: skip
_row("NSEC3PARAM", 51, U8("hash_algorithm"), U8("flags"), U16("iterations"), SALT("salt"))
_row("TLSA", 52, U8("usage"), U8("selector"), U8("matching_type"), HEX("data"))
_row("SMIMEA", 53, U8("usage"), U8("selector"), U8("matching_type"), HEX("data"))
_row("HIP", 55, IDENTITY("identity"), NAMES("servers"), rare=True)
_row("NINFO", 56, STRINGS("strings"))
_row("RKEY", 57, U16("flags"), U8("protocol"), ALGORITHM("algorithm"), BASE64("public_key"))
_row("TALINK", 58, NAME("start"), NAME("end"))
_row("CDS", 59, U16("key_tag"), ALGORITHM("algorithm"), U8("digest_type"), DIGEST("digest", _DS))
_row("CDNSKEY", 60, U16("flags"), U8("protocol"), ALGORITHM("algorithm"), BASE64("public_key"))
_row("OPENPGPKEY", 61, BASE64("key"))
_row("CSYNC", 62, U32("serial"), U16("flags"), BITMAP("types"))
_row("ZONEMD", 63, U32("serial"), U8("scheme"), U8("hash_algorithm"), DIGEST("digest", ((1, 48), (2, 64))))
_row("SVCB", 64, U16("priority"), NAME("target"), PARAMETERS("parameters"))
_row("HTTPS", 65, U16("priority"), NAME("target"), PARAMETERS("parameters"))
_row("DSYNC", 66, TYPE("rrtype"), SCHEME("scheme"), U16("port"), NAME("target"))
_row("HHIT", 67, BASE64("data"))
_row("BRID", 68, BASE64("data"))
_row("SPF", 99, STRINGS("strings"))
_row("UINFO", 100)
_row("UID", 101)
_row("GID", 102)
_row("UNSPEC", 103)
_row("NID", 104, U16("preference"), LOCATOR("node"))
_row("L32", 105, U16("preference"), IPv4("locator"))
_row("L64", 106, U16("preference"), LOCATOR("locator"))
_row("LP", 107, U16("preference"), NAME("fqdn"))
_row("EUI48", 108, EUI48("address"))
_row("EUI64", 109, EUI64("address"))
_row("NXNAME", 128, meta=True)
_row("TKEY", 249, meta=True)
_row("TSIG", 250, meta=True)
_row("IXFR", 251, meta=True)
_row("AXFR", 252, meta=True)
_row("MAILB", 253, meta=True)
_row("MAILA", 254, meta=True)
_row("ANY", 255, meta=True)
_row("URI", 256, U16("priority"), U16("weight"), TEXT("target", least=1))
_row("CAA", 257, U8("flags"), LABEL("tag"), TEXT("value"))
_row("AVC", 258, STRINGS("strings"))
_row("DOA", 259, U32("enterprise"), U32("type"), U8("location"), STRING("media_type"), BASE64("data", least=0))
_row("AMTRELAY", 260, U8("precedence"), U8("relay_type"), GATEWAY("relay"), rare=True)
_row("RESINFO", 261, STRINGS("strings"))
_row("WALLET", 262, STRINGS("strings"))
_row("CLA", 263, STRINGS("strings"))
_row("IPN", 264, U64("node"))
_row("TA", 32768, U16("key_tag"), ALGORITHM("algorithm"), U8("digest_type"), DIGEST("digest", _DS))
_row("DLV", 32769, U16("key_tag"), ALGORITHM("algorithm"), U8("digest_type"), DIGEST("digest", _DS))
