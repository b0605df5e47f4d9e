# SPDX-License-Identifier: Apache-2.0
"""The zone image: records in canonical order → pages, the message bodies a transfer sends, and back.

A page is cut between rrsets and holds at most PAGE_LIMIT octets. Only an rrset larger than that is cut inside, into
chunks that have their pages to themselves, and only a record larger than that has a larger page. Where a page is nearly
full it is cut before the shallowest owner at hand, because a cut inside a delegation writes its names twice.

A separator is the shortest key that is greater than all in front of its page and not greater than what the page begins
with; a rrset's key is owner key + 00 + type. The 00 is less than any label's octet, so the types of a name stand in front
of the names below it.
"""

import os
from threading import Thread

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

from fastmdns.compress cimport Compressor, compress_name, compressor_reset
from fastmdns.name cimport name_key, name_length, name_unpack, name_within
from fastmdns.rdata cimport Span, rdata_compressible, rdata_unpack, rrtype_is_compressible
from fastmdns.records cimport Record, Records
from fastmdns.wire cimport (
    BAD_VALUE, EXTRA_OCTETS, HEADER_SIZE, MAX_MESSAGE, MAX_NAME, NO_MEMORY, OK, Reader, Writer, fail, read_u16, read_u32,
    reader_init, store_u16, store_u32, writer_init,
)

from fastmdns import name, rrtypes
from fastmdns import rdata as rdata_module
from fastmdns.errors import STATUS_REASON, Problem, WireError, ZoneError

SPLIT_FROM = 100_000  # records of a zone: below, a second thread gains next to nothing

cdef enum:
    SOA = 6
    QTYPE_AXFR = 252
    CLASS_IN = 1
    RECORD_HEADER = 10  # type, class, TTL, rdlength
    SOA_NUMBERS = 20  # serial, refresh, retry, expire, minimum
    POINTER = 0xC000
    FIRST_LIMIT = 16384  # of the first message when it is the only one: header, question, SOA, page 0, SOA
    WINDOW = 16  # a cut is looked for in the last 1/WINDOW of a page
    SAME_OWNER = 255  # the depth of a cut between two rrsets of one owner: deeper than any name
    SHORT_CHUNKS = 255  # chunks numbered in one octet; 255 announces two more octets
    MAX_CHUNKED_KEY = 501  # of an owner: MAX_PAGE_KEY less image id, 00, type and three octets of chunk
    # A record is written before it is known to fit: a whole message and one record more.
    SCRATCH = 2 * MAX_MESSAGE + 1024


cdef struct Buffer:
    uint8_t *data  # owned
    uint64_t used, room


cdef struct Page:
    uint64_t separator_at, value_at
    uint32_t value_length
    uint16_t separator_length


cdef struct Cut:  # a place between two rrsets where the running page may end
    Py_ssize_t index  # of the record behind it; -1 = none found
    Py_ssize_t pos
    int records  # in the page in front of it
    int depth  # labels of the owner behind it, or SAME_OWNER


cdef struct Edit:  # an rrset that is replaced or deleted
    const uint8_t *key  # borrowed
    Py_ssize_t length


cdef struct Edits:
    Edit *items  # sorted by key
    Py_ssize_t count
    Py_ssize_t next  # [0, count]: those before it are behind us


cdef struct Decoded:  # one record of a page
    const uint8_t *apex  # borrowed: owners must lie within it
    int apex_length
    uint32_t ttl
    uint16_t rrtype
    uint16_t rdlength
    int owner_length
    uint8_t owner[256]
    uint8_t rdata[MAX_MESSAGE]


cdef int buffer_append(Buffer *buffer, const uint8_t *octets, uint64_t size) noexcept nogil:
    """OK or NO_MEMORY."""
    cdef uint64_t room
    cdef void *data
    if buffer.used + size > buffer.room:
        room = max(buffer.used + size, buffer.room + buffer.room // 2)
        data = realloc(buffer.data, room)
        if data == NULL:
            return NO_MEMORY
        buffer.data = <uint8_t *>data
        buffer.room = room
    if size:  # there may be no data yet, and memcpy must not be told NULL
        memcpy(buffer.data + buffer.used, octets, size)
    buffer.used += size
    return OK


cdef inline bint same_owner(const Record *one, const Record *other) noexcept nogil:
    return one.owner_id == other.owner_id or (
        one.key_length == other.key_length and not memcmp(one.key, other.key, one.key_length)
    )


cdef inline int label_count(const uint8_t *wire) noexcept nogil:
    cdef int labels = 0
    while wire[0]:
        labels += 1
        wire += 1 + wire[0]
    return labels


cdef int chunk_key(const Record *record, int chunk, uint8_t *key) noexcept nogil:
    """Where a chunk of the record's rrset stands among the pages → key (room MAX_PAGE_KEY). Its length."""
    cdef int at = record.key_length
    memcpy(key, record.key, at)
    key[at] = 0
    store_u16(key + at + 1, record.rrtype)
    at += 3
    if chunk >= SHORT_CHUNKS:
        key[at] = SHORT_CHUNKS
        store_u16(key + at + 1, <uint16_t>chunk)
        at += 3
    elif chunk:
        key[at] = <uint8_t>chunk
        at += 1
    return at


cdef class Pages:
    """A run of encoded pages: those of a whole image, or of the part of one that an update rewrites."""

    cdef Buffer values, separators, index  # index: one Page each
    cdef readonly uint64_t record_count
    cdef readonly uint32_t largest  # octets of the largest message, a closing SOA not counted
    cdef Pages behind  # more pages, counted above, or None

    def __dealloc__(self):
        free(self.values.data)
        free(self.separators.data)
        free(self.index.data)

    def __len__(self):
        return self.index.used // sizeof(Page) + (0 if self.behind is None else len(self.behind))

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.values.data, <Py_ssize_t>self.values.used, 1, flags)

    @property
    def octets(self):
        return self.values.used + (0 if self.behind is None else self.behind.octets)

    def items(self, bytes first not None=b""):
        """(key, value) of each page in order; the keys are first + separator, the values views of this object."""
        cdef Page *page = <Page *>self.index.data
        cdef list found = []
        cdef Py_ssize_t count = self.index.used // sizeof(Page)
        values = memoryview(self)
        while count:
            separator = PyBytes_FromStringAndSize(<char *>self.separators.data + page.separator_at, page.separator_length)
            found.append((first + separator, values[page.value_at:page.value_at + page.value_length]))
            page += 1
            count -= 1
        return found if self.behind is None else found + self.behind.items(first)

    cdef void join(self, Pages behind):
        """The pages of the records that follow; nothing is copied."""
        self.behind = behind
        self.record_count += behind.record_count
        self.largest = max(self.largest, behind.largest)

    cdef int add(self, const uint8_t *separator, int length, int records, const uint8_t *body,
                 Py_ssize_t size) noexcept nogil:
        """OK or NO_MEMORY."""
        cdef uint8_t ancount[PAGE_PREFIX]
        cdef Page page
        store_u16(ancount, <uint16_t>records)
        page.separator_at = self.separators.used
        page.separator_length = <uint16_t>length
        page.value_at = self.values.used
        page.value_length = <uint32_t>(PAGE_PREFIX + size)
        self.record_count += <uint64_t>records
        cdef int status = buffer_append(&self.separators, separator, <uint64_t>length)
        if status == OK:
            status = buffer_append(&self.values, ancount, PAGE_PREFIX)
        if status == OK:
            status = buffer_append(&self.values, body, <uint64_t>size)
        if status == OK:
            status = buffer_append(&self.index, <const uint8_t *>&page, sizeof(Page))
        return status


cdef class Soa:
    """The SOA record of an image in each form a message needs. It lies in no page, so a new serial touches none."""

    cdef readonly bytes apex  # case as in the record
    cdef readonly bytes rdata  # uncompressed
    cdef readonly uint32_t ttl, serial, expire
    cdef readonly bytes plain  # the record uncompressed
    cdef readonly bytes head  # compressed against the question
    cdef readonly bytes tail_alone  # closes a transfer of one message: compressed against question and head
    cdef readonly bytes tail_last  # the last message's only record, at offset 12
    cdef readonly bytes prefix  # what lies in front of page 0: header (empty), question, head

    def tail(self, Py_ssize_t page_count):
        return self.tail_alone if page_count == 1 else self.tail_last

    def same_names(self, Soa other not None):
        """True where page 0 may stay as it is: all it points at lies where it lay."""
        return self.apex == other.apex and self.names() == other.names()

    cdef bytes names(self):
        return self.rdata[:len(self.rdata) - SOA_NUMBERS]


class Image:
    """A zone ready to be stored."""

    __slots__ = ("pages", "soa")

    def __init__(self, soa, pages):
        self.soa = soa
        self.pages = pages


cdef class Builder:
    """Encodes pages. Keeps its scratch memory from zone to zone; one caller at a time."""

    cdef Compressor *compressor  # owned
    cdef uint8_t *message  # owned, SCRATCH octets: the running page where it stands in its message
    cdef Records records  # of the running pass
    cdef Py_ssize_t begin_at, end_at  # the part of them that it encodes; it begins and ends between owners
    cdef Py_ssize_t left_at  # where it stopped: end_at, or the record that could not be encoded
    cdef int status  # of the pass: OK or NO_MEMORY
    cdef Py_ssize_t soa_at  # index of the record that is in no page, -1 = none
    cdef bint first  # the running page is page 0
    cdef Py_ssize_t start, pos, limit  # of the running page's body in its message
    cdef Py_ssize_t fill  # a page's body ends at the rrset that reaches this size; PAGE_LIMIT fills pages
    cdef int written  # records in the running page
    cdef Py_ssize_t failed  # index of the record that could not be encoded
    cdef int chunk, next_chunk  # of the rrset the page begins in the middle of; 0 = it does not
    cdef uint64_t owner_id
    cdef uint16_t owner_at  # where owner_id's name can be pointed at, 0 = nowhere
    cdef Cut best, rrset  # the best cut so far, and the one in front of the running rrset

    def __cinit__(self):
        self.compressor = <Compressor *>calloc(1, sizeof(Compressor))
        self.message = <uint8_t *>calloc(1, SCRATCH)
        if self.compressor == NULL or self.message == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.compressor)
        free(self.message)

    def build(self, Records records not None):
        """The image of a zone. Puts the records in order. ZoneError where one fits into no message."""
        records.sort()
        cdef Py_ssize_t at = find_soa(records)
        if at < 0:
            raise ZoneError([Problem("the zone has no SOA record")])
        cdef Record record = records.at(at)
        soa = self.soa(record.owner[:record.owner_length], record.ttl, record.rdata[:record.rdlength])
        middle = middle_owner(records) if records.count >= SPLIT_FROM and len(os.sched_getaffinity(0)) > 1 else 0
        return Image(soa, self.encode_halves(records, at, soa, middle) if middle else self.encode(records, at, soa))

    def soa(self, bytes apex not None, uint32_t ttl, bytes rdata not None):
        """The forms of an SOA record."""
        cdef Soa soa = Soa.__new__(Soa)
        cdef Record record
        cdef Py_ssize_t after_head
        check_rdata(apex, SOA, rdata)
        soa.apex, soa.ttl, soa.rdata = apex, ttl, rdata
        numbers = rdata[len(rdata) - SOA_NUMBERS:]
        soa.serial = int.from_bytes(numbers[:4])
        soa.expire = int.from_bytes(numbers[12:16])
        soa.plain = apex + (b"\0\6\0\1%b%b" % (ttl.to_bytes(4), len(rdata).to_bytes(2))) + rdata
        soa_record(soa, &record)
        self.begin()
        self.put_record(&record)
        soa.tail_last = self.message[HEADER_SIZE:self.pos]
        self.begin()
        self.put_head(soa)
        soa.prefix = self.message[:self.pos]
        soa.head = soa.prefix[HEADER_SIZE + len(apex) + 4:]
        after_head = self.pos
        self.put_record(&record)
        soa.tail_alone = self.message[after_head:self.pos]
        return soa

    def rewrite(self, Soa soa not None, values, bytes prefix not None, list gone not None, added):
        """Neighbouring pages again, without some rrsets (gone: sorted rrset keys) and with some records more.

        prefix is what the message of the first value began with; empty for all but page 0. Page 0 comes back fit for
        the message that begins with soa.prefix.
        """
        cdef bint first = len(prefix) > 0
        records = Records(soa.apex)
        for value in values:
            unpack(value, prefix, gone, records)
            prefix = b""
        for owner, rrtype, ttl, rdata in added:
            check_rdata(owner, rrtype, rdata)
            records.add(owner, rrtype, ttl, rdata)
        records.sort()
        pages = self.encode(records, -1, soa if first else None)
        if len(pages) < 2:
            return pages
        # Split evenly: a page that stays full would be split again by the next change. A window more, because a page
        # may end that much earlier.
        return self.encode(records, -1, soa if first else None, pages.octets // len(pages) + PAGE_LIMIT // WINDOW)

    cdef Pages encode(self, Records records, Py_ssize_t soa_at, Soa soa, Py_ssize_t fill=PAGE_LIMIT):
        """The pages of sorted records; the first one is page 0 where a SOA is given."""
        self.take(records, 0, records.count, soa_at)
        self.fill = fill
        return self.finish(self.run(soa))

    cdef Pages encode_halves(self, Records records, Py_ssize_t soa_at, Soa soa, Py_ssize_t middle):
        """The same by two threads. A page ends at the middle, where an owner begins; the others are as they would be."""
        cdef Builder other = Builder()
        cdef Pages pages
        behind = []
        self.take(records, 0, middle, soa_at)
        other.take(records, middle, records.count, soa_at)
        thread = Thread(target=other.run_into, args=(behind,), name="image")
        thread.start()
        try:
            pages = self.run(soa)
        finally:
            thread.join()
        self.finish(pages).join(other.finish(behind[0] if behind else None))
        return pages

    def run_into(self, list out not None):
        """In a thread of its own: the pages of a part that is not the first → out, which stays empty without memory."""
        try:
            out.append(self.run(None))
        except MemoryError:
            self.status = NO_MEMORY

    cdef void take(self, Records records, Py_ssize_t begin_at, Py_ssize_t end_at, Py_ssize_t soa_at):
        self.records = records
        self.begin_at = begin_at
        self.end_at = end_at
        self.soa_at = soa_at
        self.fill = PAGE_LIMIT
        self.next_chunk = 0

    cdef Pages run(self, Soa soa):
        """Encode what was taken; finish() tells whether that went well."""
        cdef Pages pages = Pages.__new__(Pages)
        self.status = OK
        self.begin()
        if soa is not None:
            self.put_head(soa)
            self.begin_first(len(soa.tail_alone))
        with nogil:
            self.left_at = self.encode_pages(pages)
        return pages

    cdef Pages finish(self, Pages pages):
        """The pages, or why there are none."""
        cdef Records records = self.records
        self.records = None
        if self.status != OK:
            raise MemoryError
        if self.left_at < self.end_at:
            raise ZoneError([Problem(oversize(records, self.left_at))])
        return pages

    cdef Py_ssize_t encode_pages(self, Pages pages) noexcept nogil:
        """Where encoding ended: before the end of the part where the next record can't be, or there is no memory."""
        cdef Py_ssize_t at = self.skip_soa(self.begin_at), end
        while at < self.end_at or self.first:
            end = self.encode_page(at)
            if end < 0:
                return self.failed
            self.status = self.close_page(pages, at)
            if self.status != OK:
                return at
            at = self.skip_soa(end)
            self.begin()
        return self.end_at

    cdef inline Py_ssize_t skip_soa(self, Py_ssize_t index) noexcept nogil:
        return index + 1 if index == self.soa_at else index

    cdef void begin(self) noexcept nogil:
        """An empty page that is not page 0."""
        compressor_reset(self.compressor)
        self.first = False
        self.start = self.pos = HEADER_SIZE
        self.limit = HEADER_SIZE + PAGE_LIMIT - PAGE_PREFIX
        self.written = 0
        self.owner_at = 0
        self.chunk = self.next_chunk
        self.next_chunk = 0

    cdef void put_head(self, Soa soa):
        """Question and head, in front of page 0."""
        cdef Record record
        soa_record(soa, &record)
        self.pos = compress_name(self.compressor, self.message, self.pos, record.owner)
        store_u16(self.message + self.pos, QTYPE_AXFR)
        store_u16(self.message + self.pos + 2, CLASS_IN)
        self.pos += 4
        self.put_record(&record)

    cdef void begin_first(self, Py_ssize_t tail) noexcept nogil:
        """Behind the head: page 0, with room for the tail should it stay the only one."""
        self.first = True
        self.start = self.pos
        self.limit = min(FIRST_LIMIT - tail, self.start + PAGE_LIMIT - PAGE_PREFIX)
        self.owner_at = 0

    cdef Py_ssize_t encode_page(self, Py_ssize_t index) noexcept nogil:
        """Write records from index on until the page is full. Index of the first one left out; -1 = too large."""
        cdef Record record, last
        cdef Py_ssize_t before
        self.best.index = self.rrset.index = -1
        while index < self.end_at:
            record = self.records.at(index)
            if self.written and not same_rrset(&record, &last):
                if self.chunk:
                    return index
                self.note_cut(index, &record, &last)
                if self.pos > self.start + self.fill:
                    return self.cut(index, self.pos)
            before = self.pos
            self.put_record(&record)
            if self.pos > self.limit:
                return self.cut(index, before)
            self.written += 1
            last = record
            index = self.skip_soa(index + 1)
        return index

    cdef void note_cut(self, Py_ssize_t index, const Record *record, const Record *last) noexcept nogil:
        """The page may end in front of this record. In its last part, remember the shallowest and latest such place."""
        self.rrset.index = index
        self.rrset.pos = self.pos
        self.rrset.records = self.written
        if self.pos < min(self.limit, self.start + self.fill) - PAGE_LIMIT // WINDOW:
            return
        self.rrset.depth = SAME_OWNER if same_owner(record, last) else label_count(record.owner)
        if self.best.index < 0 or self.rrset.depth <= self.best.depth:
            self.best = self.rrset

    cdef Py_ssize_t cut(self, Py_ssize_t index, Py_ssize_t before) noexcept nogil:
        """The record at index, written from `before` on, is beyond the limit. Where the next page begins; -1 = nowhere."""
        cdef Cut *place = &self.best if self.best.index >= 0 else &self.rrset
        if place.index >= 0:
            self.pos = place.pos
            self.written = place.records
            return place.index
        if self.written:
            self.pos = before
            return index if self.open_chunk(index) else -1
        if self.first:
            self.pos = self.start
            return index
        return self.keep_large(index)

    cdef Py_ssize_t keep_large(self, Py_ssize_t index) noexcept nogil:
        """The record at index, larger than a page, has one of its own. Where the next one begins; -1 = nowhere."""
        if self.pos > MAX_MESSAGE:
            self.failed = index
            return -1
        self.written = 1
        if self.records.rrset_end(index) > index + 1 and not self.open_chunk(index):
            return -1
        return index + 1

    cdef bint open_chunk(self, Py_ssize_t index) noexcept nogil:
        """The next page goes on with the rrset of the record at index. False where no key is left for it."""
        self.failed = index
        self.next_chunk = self.chunk + 1
        return self.next_chunk <= 0xFFFF and self.records.at(index).key_length <= MAX_CHUNKED_KEY

    cdef int close_page(self, Pages pages, Py_ssize_t at) noexcept nogil:
        """The running page, whose first record is at, → pages. OK or NO_MEMORY."""
        cdef uint8_t separator[MAX_PAGE_KEY]
        cdef int length = self.separator(at, separator) if pages.index.used or self.begin_at else 0
        pages.largest = max(pages.largest, <uint32_t>self.pos)
        return pages.add(separator, length, self.written, self.message + self.start, self.pos - self.start)

    cdef int separator(self, Py_ssize_t at, uint8_t *out) noexcept nogil:
        """The shortest key above all that is in front of the record at, and not above its own. Its length."""
        cdef uint8_t before[MAX_PAGE_KEY]
        cdef Py_ssize_t previous = at - 1
        cdef Record record = self.records.at(at)
        cdef int length = chunk_key(&record, self.chunk, out), size = 0, common = 0
        if self.chunk:
            return length
        if previous == self.soa_at:
            previous -= 1
        if previous >= 0:
            record = self.records.at(previous)
            size = chunk_key(&record, 0, before)
        while common < size and before[common] == out[common]:
            common += 1
        return common + 1

    cdef void put_record(self, const Record *record) noexcept nogil:
        cdef uint8_t *message = self.message
        cdef uint8_t *fixed
        if self.owner_at and record.owner_id == self.owner_id:
            store_u16(message + self.pos, POINTER | self.owner_at)
            self.pos += 2
        else:
            self.pos = compress_name(self.compressor, message, self.pos, record.owner)
            self.owner_id = record.owner_id
            self.owner_at = self.compressor.last
        fixed = message + self.pos
        store_u16(fixed, record.rrtype)
        store_u16(fixed + 2, CLASS_IN)
        store_u32(fixed + 4, record.ttl)
        self.pos += RECORD_HEADER
        self.put_rdata(record)
        store_u16(fixed + 8, <uint16_t>(message + self.pos - fixed - RECORD_HEADER))

    cdef inline void put_rdata(self, const Record *record) noexcept nogil:
        cdef Span spans[2]
        cdef int count = 0, index
        cdef Py_ssize_t at = 0
        if rrtype_is_compressible(record.rrtype):
            count = rdata_compressible(record.rrtype, record.rdata, record.rdlength, spans)
        for index in range(count):
            self.put_octets(record.rdata + at, spans[index].offset - at)
            self.pos = compress_name(self.compressor, self.message, self.pos, record.rdata + spans[index].offset)
            at = spans[index].offset + spans[index].length
        self.put_octets(record.rdata + at, record.rdlength - at)

    cdef inline void put_octets(self, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
        memcpy(self.message + self.pos, octets, <size_t>size)
        self.pos += size


cdef inline bint same_rrset(const Record *one, const Record *other) noexcept nogil:
    return one.rrtype == other.rrtype and same_owner(one, other)


cdef Py_ssize_t middle_owner(Records records) noexcept:
    """Where the owner in the middle of sorted records begins; 0 where it is the first one."""
    cdef Py_ssize_t index = records.count // 2
    cdef Record record = records.at(index), before
    while index > 0:
        before = records.at(index - 1)
        if not same_owner(&before, &record):
            break
        index -= 1
    return index


cdef Py_ssize_t find_soa(Records records) noexcept:
    """The apex sorts first, so its SOA stands among the first records. -1 = there is none."""
    cdef Py_ssize_t index
    for index in range(records.count):
        if records.at(index).key_length != records.apex_key_length:
            break
        if records.at(index).rrtype == SOA:
            return index
    return -1


cdef void soa_record(Soa soa, Record *record) noexcept:
    """The record as the encoder takes it; borrowed from soa."""
    record.owner = <const uint8_t *>soa.apex
    record.key = NULL
    record.key_length = 0
    record.owner_length = <uint8_t>len(soa.apex)
    record.rdata = <const uint8_t *>soa.rdata
    record.ttl = soa.ttl
    record.rrtype = SOA
    record.rdlength = <uint16_t>len(soa.rdata)
    record.owner_id = <uint64_t>-1


cdef int check_rdata(bytes owner, int rrtype, bytes rdata) except -1:
    """What comes as wire from a caller is checked before the compressor trusts it."""
    try:
        name.check(owner)
        rdata_module.check(rrtype, rdata)
    except WireError as error:
        raise WireError(f"{owner!r} {rrtypes.to_name(rrtype)}: {error}") from None
    return 0


cdef str oversize(Records records, Py_ssize_t at):
    """Why the record can't be encoded."""
    cdef Record record = records.at(at)
    who = f"{name.to_text(record.owner[:record.owner_length])} {rrtypes.to_name(record.rrtype)}"
    if HEADER_SIZE + record.owner_length + RECORD_HEADER + record.rdlength > MAX_MESSAGE:
        return f"{who}: a record of {record.rdlength} octets does not fit into a DNS message"
    return f"{who}: the rrset is too large for a name this long"


cdef int edit_key(const uint8_t *owner, int length, uint16_t rrtype, uint8_t *key) noexcept nogil:
    """The key of an rrset (see above) → key (room MAX_PAGE_KEY). Its length."""
    cdef int size = name_key(owner, length, key)
    key[size] = 0
    store_u16(key + size + 1, rrtype)
    return size + 3


cdef bint is_gone(Edits *gone, const Decoded *record) noexcept nogil:
    """Is this one of the rrsets to leave out? Asked in canonical order, it walks along."""
    cdef uint8_t key[MAX_PAGE_KEY]
    cdef Py_ssize_t length
    cdef int order
    cdef Edit *edit
    if gone.next == gone.count:
        return False
    length = edit_key(record.owner, record.owner_length, record.rrtype, key)
    while gone.next < gone.count:
        edit = &gone.items[gone.next]
        order = memcmp(edit.key, key, <size_t>min(edit.length, length))
        if order > 0 or (order == 0 and edit.length >= length):
            return order == 0 and edit.length == length
        gone.next += 1
    return False


cdef void decode_record(Reader *reader, Decoded *out) noexcept nogil:
    """One record at reader.pos → out, names unpacked. A failure stands in reader.status."""
    cdef Writer rdata
    cdef Py_ssize_t size
    out.owner_length = name_unpack(reader, out.owner)
    out.rrtype = read_u16(reader)
    if read_u16(reader) != CLASS_IN:
        fail(&reader.status, BAD_VALUE)
    out.ttl = read_u32(reader)
    size = read_u16(reader)
    if reader.status != OK:
        return
    if not name_within(out.owner, out.owner_length, out.apex, out.apex_length):
        fail(&reader.status, BAD_VALUE)
        return
    writer_init(&rdata, out.rdata, MAX_MESSAGE)
    fail(&reader.status, rdata_unpack(reader, out.rrtype, size, &rdata))
    out.rdlength = <uint16_t>rdata.pos


cdef int decode_records(Reader *reader, int count, Edits *gone, Records out, Decoded *scratch) noexcept nogil:
    """The records of a body → out, but for those of the rrsets gone. OK or a Status."""
    while count:
        count -= 1
        decode_record(reader, scratch)
        if reader.status != OK:
            return reader.status
        if is_gone(gone, scratch):
            continue
        if out.append(scratch.owner, scratch.owner_length, scratch.rrtype, scratch.ttl, scratch.rdata,
                      scratch.rdlength) != OK:
            return NO_MEMORY
    return OK if reader.pos == reader.size else EXTRA_OCTETS


cdef int unpack(value, bytes prefix, list gone, Records out) except -1:
    """The records of a page → out. WireError where it is damaged."""
    cdef bytes message = (prefix or bytes(HEADER_SIZE)) + bytes(value[PAGE_PREFIX:])
    cdef int ancount = int.from_bytes(value[:PAGE_PREFIX]), status
    cdef Decoded *scratch = <Decoded *>malloc(sizeof(Decoded))
    cdef Py_ssize_t index
    cdef Edits edits
    cdef Reader reader
    edits.next, edits.count = 0, len(gone)
    edits.items = <Edit *>malloc((1 + edits.count) * sizeof(Edit))
    reader_init(&reader, message, len(message))
    reader.pos = len(prefix) or HEADER_SIZE
    try:
        if scratch == NULL or edits.items == NULL:
            raise MemoryError
        scratch.apex = out.apex
        scratch.apex_length = <int>len(out.apex)
        for index in range(edits.count):
            edits.items[index].key = <const uint8_t *><bytes>gone[index]
            edits.items[index].length = len(gone[index])
        with nogil:
            status = decode_records(&reader, ancount, &edits, out, scratch)
    finally:
        free(scratch)
        free(edits.items)
    if status == NO_MEMORY:
        raise MemoryError
    if status != OK:
        raise WireError(STATUS_REASON[status], reader.pos)
    return 0


def decode(value, bytes apex not None, bytes prefix not None=b""):
    """The records of a page's value, names uncompressed. prefix is Soa.prefix for page 0 and empty for all others."""
    records = Records(apex)
    unpack(value, prefix, [], records)
    return records


def rrset_key(bytes owner not None, int rrtype):
    """Where an rrset stands among the pages: its page is the last one whose separator is not greater."""
    cdef uint8_t key[MAX_PAGE_KEY]
    name.check(owner)
    if not 0 < rrtype <= 0xFFFF:
        raise WireError("a record's type is a number from 1 to 65535")
    return key[:edit_key(owner, <int>len(owner), <uint16_t>rrtype, key)]


def begins_chunk(separator, value):
    """True where the page, not page 0, goes on with the rrset that ends the page in front of it."""
    cdef uint8_t key[MAX_PAGE_KEY]
    octets = bytes(value[PAGE_PREFIX:PAGE_PREFIX + MAX_NAME + 2])
    cdef int length = name_length(octets, len(octets))
    if length == 0 or length + 2 > len(octets):
        raise WireError("the first name of a page is damaged")
    return len(separator) > edit_key(octets, length, int.from_bytes(octets[length:length + 2]), key)


def split_soa(bytes plain not None):
    """(apex, ttl, rdata) of Soa.plain."""
    cdef int length = name_length(plain, len(plain))
    if length == 0 or len(plain) < length + RECORD_HEADER:
        raise WireError("the SOA record of a zone is damaged")
    return plain[:length], int.from_bytes(plain[length + 4:length + 8]), plain[length + RECORD_HEADER:]


ROW_SIZE = sizeof(ZoneHeader)
LIMIT = PAGE_LIMIT
