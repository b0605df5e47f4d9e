# SPDX-License-Identifier: Apache-2.0
"""The compiled table of types, for other extensions. Python sees the kinds of fields and reads rrtypes itself."""

from enum import IntEnum

class Kind(IntEnum):
    U8 = 0
    U16 = 1
    U32 = 2
    U64 = 3
    PERIOD = 4
    TIME = 5
    TYPE = 6
    ALGORITHM = 7
    CERTIFICATE = 8
    SCHEME = 9
    IPv4 = 10
    IPv6 = 11
    NAME = 12
    NAMES = 13
    STRING = 14
    OPTIONAL = 15
    STRINGS = 16
    LABEL = 17
    DECIMAL = 18
    TEXT = 19
    HEX = 20
    DIGEST = 21
    BASE64 = 22
    SALT = 23
    HASH = 24
    BITMAP = 25
    EUI48 = 26
    EUI64 = 27
    LOCATOR = 28
    NSAP = 29
    PARAMETERS = 30
    LOCATION = 31
    PREFIXES = 32
    PORTS = 33
    IDENTITY = 34
    GATEWAY = 35
    KIND_COUNT = 36
