# SPDX-License-Identifier: Apache-2.0
"""The receiving end of a transfer: the messages of an AXFR or IXFR answer, checked and gathered into Records.

An answer is taken only as RFC 5936 §2.2 and RFC 1995 §4 have it: our id and question, no truncation, the same SOA at
both ends, nothing behind it, and versions that join without a gap. Whatever is not so raises TransferError and says
what; octets that are no DNS raise WireError. Records outside the zone are counted and dropped, as secondaries do.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from fastmdns.name cimport name_equal, name_unpack, name_within
from fastmdns.rdata cimport rdata_unpack
from fastmdns.records cimport Record, Records
from fastmdns.wire cimport (
    HEADER_SIZE, MAX_MESSAGE, MAX_NAME, OK, Reader, Writer, can_read, load_u16, load_u32, read_octets, read_u16,
    read_u32, reader_init, writer_init,
)

from typing import NamedTuple

from fastmdns.errors import STATUS_REASON, TransferError, WireError

cdef enum:
    TYPE_SOA = 6
    TYPE_IXFR = 251
    CLASS_IN = 1
    SOA_NUMBERS = 20  # octets behind the two names of a SOA's rdata: serial, refresh, retry, expire, minimum

cdef enum Phase:  # what the next record may be
    FIRST  # the SOA that begins every answer
    SECOND  # of an IXFR answer: it tells a whole zone from a list of changes
    ZONE
    REMOVED
    ADDED
    ENDED

RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH")


class Change(NamedTuple):
    """One version to the next. The records are (owner, rrtype, ttl, rdata); the SOAs are not among them."""

    from_serial: int
    to_serial: int
    removed: list
    added: list


cdef struct Received:
    uint8_t owner[MAX_NAME + 1]
    int owner_length
    uint16_t rrtype
    uint16_t rrclass
    uint32_t ttl
    Py_ssize_t rdlength  # of the rdata in the writer's buffer, names decompressed


cdef void take_record(Reader *reader, Received *record, Writer *rdata) noexcept nogil:
    """The next record; reader.status tells whether there was one."""
    cdef uint16_t size
    record.owner_length = name_unpack(reader, record.owner)
    record.rrtype = read_u16(reader)
    record.rrclass = read_u16(reader)
    record.ttl = read_u32(reader)
    size = read_u16(reader)
    rdata.pos = 0
    if not can_read(reader, size):
        return
    reader.status = rdata_unpack(reader, record.rrtype, size, rdata)
    record.rdlength = rdata.pos


cdef class Incoming:
    """The answer to one request. feed() takes its messages in order; `done` says that the last one has come."""

    cdef readonly Records records  # style "zone": the whole zone; else the newest SOA alone
    cdef readonly list changes
    cdef readonly str style  # "zone", "changes", or "current": nothing newer than what was asked with
    cdef readonly object serial  # of the newest SOA; None before the first message
    cdef readonly Py_ssize_t messages
    cdef readonly uint64_t octets
    cdef readonly Py_ssize_t outside  # records that were not in the zone
    cdef bytes soa  # rdata of the newest SOA
    cdef uint8_t apex[MAX_NAME + 1]
    cdef int apex_length
    cdef uint16_t ident, qtype
    cdef uint32_t known  # the serial asked with
    cdef list removed, added  # of the change that is being read,
    cdef uint32_t version, target  # from this serial to that
    cdef Phase phase
    cdef Received record
    cdef bint waits  # self.record was read, but is no plain record of the zone: decide() says what becomes of it
    cdef Writer rdata
    cdef uint8_t buffer[MAX_MESSAGE]

    def __init__(self, bytes apex, int ident, int qtype, uint32_t known=0):
        self.records = Records(apex)
        self.apex_length = <int>len(apex)
        memcpy(self.apex, <const uint8_t *>apex, self.apex_length)
        self.ident = ident
        self.qtype = qtype
        self.known = self.version = known
        self.changes = []
        self.style = "zone"
        self.phase = FIRST
        writer_init(&self.rdata, self.buffer, MAX_MESSAGE)

    @property
    def done(self):
        return self.phase == ENDED

    def feed(self, bytes message):
        """Take one message, without its length prefix."""
        cdef Reader reader
        cdef const uint8_t *data = message
        reader_init(&reader, data, len(message))
        self.messages += 1
        self.octets += len(message)
        self.check_header(&reader)
        self.take_answers(&reader, load_u16(data + 6))
        self.skip_others(&reader, load_u16(data + 8) + load_u16(data + 10))
        if reader.pos != reader.size:
            raise TransferError("octets follow the last record of a message")
        if self.phase == SECOND and not self.is_newer(self.serial):
            self.style = "current"
            self.phase = ENDED

    cdef bint is_newer(self, uint32_t serial) noexcept:
        """Than the one asked with, by RFC 1982. At a distance of 2^31 there is no order, and primaries send the zone."""
        return 0 < <uint32_t>(serial - self.known) <= <uint32_t>0x80000000

    cdef int check_header(self, Reader *reader) except -1:
        cdef uint16_t flags
        if reader.size < HEADER_SIZE:
            raise TransferError("a message is shorter than its header")
        if load_u16(reader.data) != self.ident:
            raise TransferError("a message has another id than the request")
        flags = load_u16(reader.data + 2)
        if flags & 0xF800 != 0x8000:
            raise TransferError("a message is no answer to a query")
        if flags & 0x000F:
            raise TransferError(f"the server answers {rcode_text(flags & 0x000F)}")
        if flags & 0x0200:
            raise TransferError("a message is truncated (TC)")
        reader.pos = HEADER_SIZE
        return self.check_question(reader, load_u16(reader.data + 4))

    cdef int check_question(self, Reader *reader, int count) except -1:
        cdef uint8_t name[MAX_NAME + 1]
        cdef int length
        if count > 1 or (count == 0 and self.messages == 1):
            raise TransferError("the first message must repeat the question, and no message holds two")
        if count:
            length = name_unpack(reader, name)
            if read_u16(reader) != self.qtype or read_u16(reader) != CLASS_IN or not self.is_apex(name, length):
                raise TransferError("a message holds another question than ours")
        return 0

    cdef bint is_apex(self, const uint8_t *name, int length) noexcept nogil:
        return length > 0 and name_equal(name, length, self.apex, self.apex_length)

    cdef int take_answers(self, Reader *reader, Py_ssize_t left) except -1:
        while left:
            if self.phase == ZONE:
                with nogil:
                    left -= self.gather(reader, left)
            else:
                take_record(reader, &self.record, &self.rdata)
                self.waits = True
                left -= 1
            if reader.status != OK:
                raise WireError(STATUS_REASON[reader.status], reader.pos)
            if self.waits:
                self.decide()
        return 0

    cdef Py_ssize_t gather(self, Reader *reader, Py_ssize_t left) noexcept nogil:
        """Add plain records to the zone until one is none. How many were read; that last one included."""
        cdef Py_ssize_t count = 0
        self.waits = False
        while count < left and not self.waits and reader.status == OK:
            take_record(reader, &self.record, &self.rdata)
            count += 1
            if reader.status == OK:
                self.waits = self.record.rrtype == TYPE_SOA or self.record.rrclass != CLASS_IN
                if not self.waits:
                    reader.status = self.keep()
        return count

    cdef int keep(self) noexcept nogil:
        """self.record into the zone; OK or NO_MEMORY."""
        cdef Received *record = &self.record
        if not name_within(record.owner, record.owner_length, self.apex, self.apex_length):
            self.outside += 1
            return OK
        return self.records.append(record.owner, record.owner_length, record.rrtype, record.ttl, self.buffer,
                                   <uint16_t>record.rdlength)

    cdef int decide(self) except -1:
        """What becomes of self.record: a SOA, or any record where the phase is not ZONE."""
        if self.record.rrclass != CLASS_IN:
            raise TransferError(f"a record has class {self.record.rrclass}")
        if self.phase == ENDED:
            raise TransferError("records follow the SOA that ends the transfer")
        if self.record.rrtype == TYPE_SOA and self.is_apex(self.record.owner, self.record.owner_length):
            return self.decide_soa(self.buffer[:self.record.rdlength])
        if self.phase == FIRST:
            raise TransferError("the first record is not the zone's SOA")
        if self.phase == SECOND:
            self.phase = ZONE
        if self.phase == ZONE:
            return self.keep_or_raise()
        (self.removed if self.phase == REMOVED else self.added).append(self.as_tuple())
        return 0

    cdef int keep_or_raise(self) except -1:
        if self.keep() != OK:
            raise MemoryError
        return 0

    cdef tuple as_tuple(self):
        cdef Received *record = &self.record
        return (bytes(record.owner[:record.owner_length]), record.rrtype, record.ttl,
                bytes(self.buffer[:record.rdlength]))

    cdef int decide_soa(self, bytes rdata) except -1:
        if len(rdata) < SOA_NUMBERS + 2:
            raise TransferError("a SOA is too short")
        serial = load_u32(<const uint8_t *>rdata + len(rdata) - SOA_NUMBERS)
        if self.phase == FIRST:
            self.soa, self.serial = rdata, serial
            self.phase = SECOND if self.qtype == TYPE_IXFR else ZONE
            return self.keep_or_raise()
        if self.phase == REMOVED:
            self.target = serial
            self.phase = ADDED
            return 0
        if self.phase == ADDED:
            self.changes.append(Change(self.version, self.target, self.removed, self.added))
            self.version = self.target
        if self.phase in (SECOND, ADDED) and rdata != self.soa:
            return self.begin_change(serial)
        return self.end(rdata)

    cdef int begin_change(self, uint32_t serial) except -1:
        """A SOA that begins the removals of the next version: they must begin at the version we have."""
        if serial != self.version:
            raise TransferError(f"the changes don't join: they go on from {serial} behind {self.version}")
        self.style = "changes"
        self.removed, self.added = [], []
        self.phase = REMOVED
        return 0

    cdef int end(self, bytes rdata) except -1:
        if rdata != self.soa:
            raise TransferError("the SOA at the end is not the one at the beginning")
        if self.phase == ADDED and self.version != self.serial:
            raise TransferError(f"the changes end at {self.version}, not at {self.serial}")
        self.phase = ENDED
        return 0

    cdef int skip_others(self, Reader *reader, Py_ssize_t left) except -1:
        """Authority and additional section: nothing there belongs to the zone."""
        cdef uint8_t name[MAX_NAME + 1]
        while left:
            name_unpack(reader, name)
            read_octets(reader, 8)  # type, class and TTL
            read_octets(reader, read_u16(reader))
            left -= 1
        if reader.status != OK:
            raise WireError(STATUS_REASON[reader.status], reader.pos)
        return 0


cdef str rcode_text(int rcode):
    return RCODES[rcode] if rcode < len(RCODES) else f"rcode {rcode}"


def differences(Records first, Records second, Py_ssize_t limit=20):
    """Compare two zones, both sorted: (how many stand only in first, only in second, the first `limit` of them).

    An entry is (True where it stands in first, owner, rrtype, ttl, rdata). Owners compare without case.
    """
    cdef Py_ssize_t i = 0, j = 0
    cdef int order = 0
    cdef bint in_first
    only_first = only_second = 0
    shown = []
    while True:
        with nogil:
            while i < first.count and j < second.count:
                order = compare(first.at(i), second.at(j))
                if order != 0:
                    break
                i += 1
                j += 1
        if i == first.count and j == second.count:
            return only_first, only_second, shown
        in_first = j == second.count or (i < first.count and order < 0)
        if len(shown) < limit:
            shown.append((bool(in_first), *row(first.at(i) if in_first else second.at(j))))
        only_first += in_first
        only_second += not in_first
        i += in_first
        j += not in_first


cdef int compare(Record one, Record other) noexcept nogil:
    """Canonical order, then TTL."""
    cdef int order = compare_octets(one.key, one.key_length, other.key, other.key_length)
    if order == 0:
        order = <int>one.rrtype - <int>other.rrtype
    if order == 0:
        order = compare_octets(one.rdata, one.rdlength, other.rdata, other.rdlength)
    if order == 0:
        order = (one.ttl > other.ttl) - (one.ttl < other.ttl)
    return order


cdef int compare_octets(const uint8_t *one, int one_length, const uint8_t *other, int other_length) noexcept nogil:
    cdef int order = memcmp(one, other, min(one_length, other_length))
    return order if order else one_length - other_length


cdef tuple row(Record record):
    return (bytes(record.owner[:record.owner_length]), record.rrtype, record.ttl, bytes(record.rdata[:record.rdlength]))
