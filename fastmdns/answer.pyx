# SPDX-License-Identifier: Apache-2.0
"""What is answered to whom, and where the octets come from. See answer.pxd for the contract with the server.

Checked in this order, and the first that fails answers: form (message.pyx), TSIG, EDNS version, is the peer known to
any rule, class, is there such a zone, may the peer have it, is it loaded. This is a hidden primary: it answers SOA,
AXFR, IXFR and NS, and ANY with the SOA (one rrset is enough, RFC 8482 §4.1), at the exact apex of a zone; types that no
zone can hold (0, MAILA, MAILB) are NODATA there. Everything else, names below an apex included, is REFUSED, so an
answer never depends on what else a zone holds. An unknown peer is REFUSED whatever it asks. Nothing read from the store
is kept beyond the transaction it was read in.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t
from libc.string cimport memcmp, memcpy, memset
from fastmdns.counters cimport (
    OVERSIZE_RECORDS,
    QUERIES_AXFR,
    QUERIES_IXFR,
    QUERIES_OTHER,
    QUERIES_SOA,
    REPLIES_BADVERS,
    REPLIES_FORMERR,
    REPLIES_NOERROR,
    REPLIES_NOTAUTH,
    REPLIES_NOTIMP,
    REPLIES_REFUSED,
    REPLIES_SERVFAIL,
    REQUESTS_DROPPED,
    REQUESTS_TCP,
    REQUESTS_UDP,
    TRANSFER_MESSAGES,
    TRANSFER_OCTETS,
    TRANSFER_RECORDS,
    TRANSFERS_FINISHED,
    TRANSFERS_REFUSED_QUOTA,
    TRANSFERS_STARTED,
    TSIG_BADKEY,
    TSIG_BADSIG,
    TSIG_BADTIME,
    TSIG_OK,
    count,
    count_many,
)
from fastmdns.image cimport PAGE_PREFIX, READY, zone_view
from fastmdns.message cimport (
    AA,
    ANSWER,
    BADVERS,
    CLASS_IN,
    EDE_NONE,
    EDE_NOT_AUTHORITATIVE,
    EDE_NOT_READY,
    EDE_NOT_SUPPORTED,
    EDE_PROHIBITED,
    FORMERR,
    FRAME_SIZE,
    NOERROR,
    NOTAUTH,
    NOTIMP,
    OPCODE_MASK,
    OPCODE_NOTIFY,
    OPCODE_QUERY,
    QR,
    QUESTION_AT,
    RD,
    REFUSED,
    SERVFAIL,
    TC,
    TYPE_ANY,
    TYPE_AXFR,
    TYPE_IXFR,
    TYPE_MAILA,
    TYPE_MAILB,
    TYPE_NONE,
    TYPE_NS,
    TYPE_SOA,
    TYPE_TKEY,
    Head,
    OptReply,
    head_read,
    opt_size,
    opt_write,
    query_parse,
    reply_begin,
    reply_count,
    tsig_object,
)
from fastmdns.rdata cimport rdata_unpack
from fastmdns.signer cimport StreamSigner
from fastmdns.wire cimport (
    HEADER_SIZE,
    MAX_MESSAGE,
    OK,
    Reader,
    load_u16,
    load_u32,
    reader_init,
    store_u16,
    store_u32,
    write_octets,
    write_u16,
    write_u32,
    writer_init,
)

import logging
from ipaddress import ip_address
from time import monotonic, time
from typing import NamedTuple

import lmdb

from fastmdns import name, tsig
from fastmdns.errors import StoreError

log = logging.getLogger("fastmdns.answer")

cdef enum:
    MAX_DECISIONS = 4096  # peers whose decision is kept; UDP addresses can be forged, so the table must not grow
    MAX_PARTS = 5  # iovecs one message may take: frame, question and head, page, OPT, TSIG
    SOA_TTL_AT = 6  # in a SOA record whose owner is a pointer: 2 octets of owner, 2 of type, 2 of class


class Settings(NamedTuple):
    """udp_size: RFC 9715's limit on answers; nsid: who we are (RFC 5001), empty: not told; idle_seconds: RFC 7828."""

    udp_size: int = 1232
    nsid: bytes = b""
    idle_seconds: float = 10.0


# ------------------------------------------------------------------------------------------------------------ buffers


cdef inline const uint8_t *octets_of(object buffer, Py_ssize_t *size) except NULL:
    """Where a bytes object or a view of the store's map lies. The caller knows what keeps it there."""
    cdef Py_buffer view
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    size[0] = view.len
    PyBuffer_Release(&view)
    return <const uint8_t *>view.buf


cdef inline bytes octets_copy(const uint8_t *octets, Py_ssize_t size):
    return PyBytes_FromStringAndSize(<const char *>octets, size)


cdef inline bytes zone_key(const Query *query):
    """View 0, and the name in lower case."""
    cdef bytes key = PyBytes_FromStringAndSize(NULL, query.qname_length + 2)
    cdef uint8_t *at = <uint8_t *>PyBytes_AS_STRING(key)
    store_u16(at, 0)
    memcpy(at + 2, query.lower, query.qname_length)
    return key


cdef inline bytes image_key(uint32_t image):
    """What the keys of an image's pages start with, and the whole key of page 0."""
    cdef uint8_t key[4]
    store_u32(key, image)
    return octets_copy(key, 4)


# --------------------------------------------------------------------------------------------------------- one turn


cdef void turn_begin(Turn *turn, bint tcp, uint8_t *out, int udp_size) noexcept nogil:
    memset(&turn.opt, 0, sizeof(OptReply))
    turn.tcp = tcp
    turn.signed_size = 0
    turn.limit = MAX_MESSAGE if tcp else 512
    if turn.query.has_opt and not tcp:  # RFC 6891 §6.2.5, RFC 9715
        turn.limit = min(max(512, udp_size), turn.query.udp_size)
    turn.opt.udp_size = <uint16_t>udp_size
    turn.opt.dnssec_ok = turn.query.dnssec_ok
    turn.opt.keepalive = -1
    writer_init(&turn.out, out, MAX_MESSAGE)


cdef inline Py_ssize_t tail_size(const Turn *turn) noexcept nogil:
    """Octets that OPT and TSIG will take behind the sections."""
    return turn.signed_size + (opt_size(&turn.opt) if turn.query.has_opt else 0)


cdef inline int refuse(Turn *turn, int rcode, int extended_error) noexcept nogil:
    turn.opt.extended_error = extended_error
    return rcode


cdef inline void body_begin(Turn *turn) noexcept nogil:
    """A good answer: what is written from here on leaves room for OPT and TSIG."""
    turn.out.size = turn.limit - tail_size(turn)
    reply_begin(&turn.out, &turn.query, AA, NOERROR)


cdef void write_soa(Turn *turn, const ZoneView *zone) noexcept nogil:
    """The head points at offset 12, where every answer has the client's spelling of the apex (RFC 4343 §4.1)."""
    body_begin(turn)
    write_octets(&turn.out, zone.head, zone.header.head_length)
    reply_count(turn.out.data, 1, 1)


cdef void write_nodata(Turn *turn, const ZoneView *zone) noexcept nogil:
    """The SOA in authority, with the TTL that caches may keep the "no" (RFC 2308 §5)."""
    cdef uint32_t minimum = load_u32(zone.head + zone.header.head_length - 4)
    cdef uint8_t *ttl
    write_soa(turn, zone)
    if turn.out.status == OK:
        ttl = turn.out.data + turn.out.pos - zone.header.head_length + SOA_TTL_AT
        store_u32(ttl, min(load_u32(ttl), minimum))
        reply_count(turn.out.data, 1, 0)
        reply_count(turn.out.data, 2, 1)


cdef inline bint is_current(uint32_t client, uint32_t ours) noexcept nogil:
    """RFC 1982: the client has our serial or a newer one. At a distance of 2^31 neither is newer: then it has not."""
    return <int32_t>(client - ours) >= 0


cdef inline bint same_case(const Turn *turn, const ZoneView *zone) noexcept nogil:
    return memcmp(turn.query.qname, zone.apex, zone.header.apex_length) == 0


cdef inline uint16_t stream_flags(const Query *query) noexcept nogil:
    return <uint16_t>(QR | AA | (query.flags & (OPCODE_MASK | RD)))


cdef int rcode_counter(int rcode) noexcept nogil:
    if rcode == NOERROR:
        return REPLIES_NOERROR
    if rcode == FORMERR:
        return REPLIES_FORMERR
    if rcode == SERVFAIL:
        return REPLIES_SERVFAIL
    if rcode == NOTIMP:
        return REPLIES_NOTIMP
    if rcode == REFUSED:
        return REPLIES_REFUSED
    if rcode == NOTAUTH:
        return REPLIES_NOTAUTH
    return REPLIES_BADVERS


cdef int type_counter(int qtype) noexcept nogil:
    if qtype == TYPE_SOA:
        return QUERIES_SOA
    if qtype == TYPE_AXFR:
        return QUERIES_AXFR
    if qtype == TYPE_IXFR:
        return QUERIES_IXFR
    return QUERIES_OTHER


# ----------------------------------------------------------------------------------------------------------- Answerer


cdef class Answerer:
    def __cinit__(self, store, access, keyring, Counters counters not None, settings=Settings(), clock=time):
        self.scratch = <uint8_t *>PyMem_Malloc(MAX_MESSAGE)
        if self.scratch == NULL:
            raise MemoryError
        self.store = store
        self.set_access(access)
        self.keyring = keyring
        self.counters = counters
        self.clock = clock
        self.nsid = settings.nsid
        self.udp_size = min(max(512, settings.udp_size), MAX_MESSAGE)
        self.keepalive = min(max(0, round(settings.idle_seconds * 10)), 0xFFFF)
        self.apex = b""
        self.key = ""
        self.complained = 0.0

    def __dealloc__(self):
        PyMem_Free(self.scratch)

    def set_access(self, access):
        """These rules from the next query on."""
        self.access = access
        self.groups = dict(access.groups)
        self.decisions = {}

    cdef int begin(self) except -1:
        if self.txn is None:
            try:
                self.txn = self.store.begin()
            except (StoreError, lmdb.Error) as error:
                self.complain(error)
        return 0

    cdef int end(self) except -1:
        if self.txn is not None:
            self.txn.abort()
            self.txn = None
        return 0

    cdef int complain(self, error) except -1:
        """A store that can't be read is SERVFAIL for each query, and one line a second in the log."""
        if monotonic() - self.complained > 1.0:
            log.error("store unreadable error=%s", error)
            self.complained = monotonic()
        return 0

    cdef Transfer take_transfer(self):
        cdef Transfer transfer = self.transfer
        self.transfer = None
        return transfer

    cdef Py_ssize_t answer(
        self, const uint8_t *query, Py_ssize_t size, const Peer *peer, bint tcp, uint8_t *out
    ) except? -3:
        cdef Turn turn
        cdef int rcode
        self.whole = False
        self.verdict = None
        self.transfer = None
        count(self.counters, REQUESTS_TCP if tcp else REQUESTS_UDP)
        if query_parse(&turn.query, query, size) != ANSWER:
            count(self.counters, REQUESTS_DROPPED)
            return CLOSE if tcp else DROP
        turn_begin(&turn, tcp, out, self.udp_size)
        rcode = self.decide(&turn, peer)
        if self.transfer is not None:
            count(self.counters, REPLIES_NOERROR)
            return TRANSFER
        return self.finish(&turn, rcode)

    # A rcode; with NOERROR the answer's sections are written, or self.transfer is set.
    cdef int decide(self, Turn *turn, const Peer *peer) except -2:
        cdef Query *query = &turn.query
        cdef int rcode = query.problem
        if query.has_question and query.opcode == OPCODE_QUERY:
            count(self.counters, type_counter(query.qtype))
        if rcode == FORMERR or rcode == NOTIMP:
            return rcode
        if query.has_tsig:
            rcode = self.authenticate(turn)
            if rcode != NOERROR:
                return rcode
        if query.problem == BADVERS:
            return BADVERS
        if not self.is_known(peer):
            return refuse(turn, REFUSED, EDE_PROHIBITED)
        if query.qclass != CLASS_IN:
            return refuse(turn, REFUSED, EDE_NOT_AUTHORITATIVE)
        if query.qtype == TYPE_TKEY or (query.qtype == TYPE_AXFR and not turn.tcp):  # RFC 5936 §4.2
            return NOTIMP
        return self.from_store(turn)

    cdef int authenticate(self, Turn *turn) except -2:
        """RFC 8945 §5.2. A key that does not verify never falls back to what the address alone may do."""
        cdef Query *query = &turn.query
        record = tsig_object(query.data, &query.tsig)
        verdict = tsig.verify_request(octets_copy(query.data, query.size), record, self.keyring, self.clock())
        cdef int error = verdict.error
        if error == 0:
            count(self.counters, TSIG_OK)
        elif error == tsig.BADKEY:
            count(self.counters, TSIG_BADKEY)
        elif error == tsig.BADTIME:
            count(self.counters, TSIG_BADTIME)
        else:
            count(self.counters, TSIG_BADSIG)
        if error == FORMERR:
            return FORMERR
        self.verdict = verdict
        if error == 0:
            turn.signed_size = verdict.key.room
        return NOERROR if error == 0 else NOTAUTH

    cdef bint is_known(self, const Peer *peer) except -1:
        """Sets self.decision. Peers by the thousand are few rules' business: what they say is kept by address."""
        address = octets_copy(peer.address, peer.address_length)
        who = address if self.verdict is None else (address, self.verdict.key.wire)
        decision = self.decisions.get(who)
        if decision is None:
            if len(self.decisions) >= MAX_DECISIONS:
                self.decisions.clear()
            decision = self.access.decide(address, None if self.verdict is None else self.verdict.key.wire)
            self.decisions[who] = decision if True in decision else ()
            decision = self.decisions[who]
        self.decision = decision
        return len(self.decision) != 0

    cdef bint is_allowed(self, const Query *query) except -1:
        if not self.groups:
            return self.decision[0]
        return self.decision[self.groups.get(octets_copy(query.lower, query.qname_length), 0)]

    cdef int from_store(self, Turn *turn) except -2:
        """What needs the zone's row. self.begin() was called, but a transfer before may have taken the transaction."""
        cdef Query *query = &turn.query
        cdef ZoneView zone
        cdef Py_ssize_t size
        cdef bint transfers = query.qtype == TYPE_AXFR or query.qtype == TYPE_IXFR or query.opcode == OPCODE_NOTIFY
        self.begin()
        if self.txn is None:
            return refuse(turn, SERVFAIL, EDE_NOT_READY)
        row = self.txn.get(zone_key(query))
        if row is None:
            return refuse(turn, NOTAUTH if transfers else REFUSED, EDE_NOT_AUTHORITATIVE)
        if not self.is_allowed(query):
            return refuse(turn, REFUSED, EDE_PROHIBITED)
        if query.opcode == OPCODE_NOTIFY:  # we are its primary
            return refuse(turn, REFUSED, EDE_NONE)
        if not zone_view(octets_of(row, &size), size, &zone) or not zone.header.flags & READY:
            return refuse(turn, SERVFAIL, EDE_NOT_READY)
        return self.from_zone(turn, &zone)

    cdef int from_zone(self, Turn *turn, const ZoneView *zone) except -2:
        cdef int qtype = turn.query.qtype
        self.set_options(turn, zone)
        if qtype == TYPE_SOA or qtype == TYPE_ANY or (qtype == TYPE_IXFR and not turn.tcp):  # RFC 1995 §2
            write_soa(turn, zone)
        elif qtype == TYPE_IXFR:
            return self.ixfr(turn, zone)
        elif qtype == TYPE_AXFR:
            return self.axfr(turn, zone)
        elif qtype == TYPE_NS:
            self.write_ns(turn, zone)
        elif qtype == TYPE_NONE or qtype == TYPE_MAILB or qtype == TYPE_MAILA:
            write_nodata(turn, zone)
        else:
            turn.opt.with_expire = False
            return refuse(turn, REFUSED, EDE_NOT_SUPPORTED)
        return NOERROR

    cdef void set_options(self, Turn *turn, const ZoneView *zone):
        cdef Query *query = &turn.query
        if not query.has_opt:
            return
        if query.asks_expire and (query.qtype == TYPE_SOA or query.qtype == TYPE_AXFR or query.qtype == TYPE_IXFR):
            turn.opt.with_expire = True
            turn.opt.expire = zone.header.expire
        if query.asks_keepalive and turn.tcp:
            turn.opt.keepalive = self.keepalive
        if query.asks_nsid and self.nsid:
            turn.opt.nsid = <const uint8_t *>PyBytes_AS_STRING(self.nsid)
            turn.opt.nsid_length = <int>len(self.nsid)

    # -------------------------------------------------------------------------------------------------- transfers

    cdef int ixfr(self, Turn *turn, const ZoneView *zone) except -2:
        """One SOA where the client is current; else the zone whole, which is always right (RFC 1995 §4).

        Differences will be looked up here, between the two: this is the only place that knows the client's serial.
        """
        if is_current(turn.query.serial, zone.header.serial):
            write_soa(turn, zone)
            return NOERROR
        return self.axfr(turn, zone)

    cdef int axfr(self, Turn *turn, const ZoneView *zone) except -2:
        if zone.header.largest + turn.signed_size > MAX_MESSAGE:
            # A record that leaves no room for its signature: say so before anything is sent (RFC 8945 §5.3).
            count(self.counters, OVERSIZE_RECORDS)
            return SERVFAIL
        page = self.txn.get(image_key(zone.header.image), None, self.store.pages)
        if page is None:
            self.complain(f"image {zone.header.image} has no first page")
            return refuse(turn, SERVFAIL, EDE_NOT_READY)
        if zone.header.page_count == 1 and same_case(turn, zone):
            self.write_whole(turn, zone, page)
        elif not self.begin_transfer(turn, zone, page):
            count(self.counters, TRANSFERS_REFUSED_QUOTA)
            return refuse(turn, SERVFAIL, EDE_NOT_READY)
        count(self.counters, TRANSFERS_STARTED)
        return NOERROR

    cdef int write_whole(self, Turn *turn, const ZoneView *zone, page) except -1:
        cdef Py_ssize_t size
        cdef const uint8_t *value = octets_of(page, &size)
        cdef int count = load_u16(value) + 2
        body_begin(turn)
        write_octets(&turn.out, zone.head, zone.header.head_length)
        write_octets(&turn.out, value + PAGE_PREFIX, size - PAGE_PREFIX)
        write_octets(&turn.out, zone.tail, zone.header.tail_length)
        reply_count(turn.out.data, 1, count)
        self.whole = True
        self.records = count
        self.note_transfer(turn, zone)
        return 0

    cdef int note_transfer(self, Turn *turn, const ZoneView *zone) except -1:
        self.apex = octets_copy(zone.apex, zone.header.apex_length)
        self.qtype = turn.query.qtype
        self.serial = zone.header.serial
        self.key = "" if self.verdict is None else self.verdict.key.name
        return 0

    # False: the store has no reader left, so this query's own transaction can't be given away.
    cdef bint begin_transfer(self, Turn *turn, const ZoneView *zone, page) except -1:
        cdef Transfer transfer = Transfer.__new__(Transfer)
        try:
            replacement = self.store.begin()
        except (StoreError, lmdb.Error) as error:
            self.complain(error)
            return False
        transfer.txn, self.txn = self.txn, replacement  # the transfer keeps the snapshot its first message came from
        transfer.pages = self.pages_after_first(transfer.txn, zone)
        transfer.image = image_key(zone.header.image)
        self.note_transfer(turn, zone)
        transfer.apex, transfer.qtype, transfer.serial, transfer.key = self.apex, self.qtype, self.serial, self.key
        transfer.counters = self.counters
        transfer.ident = turn.query.ident
        transfer.flags = stream_flags(&turn.query)
        transfer.opt = self.opt_octets(turn)
        if self.verdict is not None:
            transfer.stream = StreamSigner(self.verdict.key, self.verdict.record.mac, transfer.ident, self.clock)
            transfer.signed_size = turn.signed_size
        transfer.coda = octets_copy(zone.tail, zone.header.tail_length)
        if same_case(turn, zone):
            transfer.prelude = self.stored_first(turn, zone, page)
        else:
            transfer.prelude = self.rewritten_first(turn, zone, page)
            if zone.header.page_count == 1:
                transfer.coda = b""
        transfer.steps = len(transfer.prelude) + zone.header.page_count - 1 + (1 if transfer.coda else 0)
        self.transfer = transfer
        return True

    cdef object pages_after_first(self, txn, const ZoneView *zone):
        if zone.header.page_count == 1:
            return iter(())
        cursor = txn.cursor(self.store.pages)
        cursor.set_key(image_key(zone.header.image))
        pages = cursor.iternext(True, True)
        next(pages)
        return pages

    cdef bytes opt_octets(self, Turn *turn):
        cdef Writer writer
        if not turn.query.has_opt:
            return b""
        writer_init(&writer, self.scratch, MAX_MESSAGE)
        opt_write(&writer, &turn.opt)
        return octets_copy(self.scratch, writer.pos)

    cdef list stored_first(self, Turn *turn, const ZoneView *zone, page):
        """The usual case: question, head, and page 0 as it lies in the store."""
        cdef Py_ssize_t size
        question = octets_copy(turn.query.qname, turn.query.qname_length + 4)
        head = octets_copy(zone.head, zone.header.head_length)
        return [(1, load_u16(octets_of(page, &size)) + 1, (question + head, page[PAGE_PREFIX:]))]

    cdef list rewritten_first(self, Turn *turn, const ZoneView *zone, page):
        """Page 0 for a client that spells the apex in another way (dns0x20).

        The stored page points into the question, and pointing there would now change the case of names (RFC 5936 §3.4).
        So its records go out without any compression, in as many messages as they need.
        """
        cdef Reader reader
        cdef Rewriter rewriter
        cdef Head head
        cdef int index
        question = octets_copy(turn.query.qname, turn.query.qname_length + 4)
        rewriter_begin(&rewriter, turn.out.data, MAX_MESSAGE - HEADER_SIZE - len(question) - tail_size(turn))
        messages = []
        write_octets(&rewriter.out, zone.plain, zone.header.plain_length)
        rewriter.count = 1
        for index in range(self.load_first_page(&reader, zone, page)):
            if not head_read(&reader, &head):
                raise StoreError(f"page 0 of image {zone.header.image} is damaged")
            if not rewrite_record(&rewriter, &reader, &head):
                messages.append(rewriter_take(&rewriter))
                rewrite_record(&rewriter, &reader, &head)
        if zone.header.page_count == 1:
            if zone.header.plain_length > rewriter.out.size - rewriter.out.pos:
                messages.append(rewriter_take(&rewriter))
            write_octets(&rewriter.out, zone.plain, zone.header.plain_length)
            rewriter.count += 1
        messages.append(rewriter_take(&rewriter))
        return [(index == 0, count, (question, body) if index == 0 else (body,)) for index, (count, body) in
                enumerate(messages)]

    # ----------------------------------------------------------------------------------------------- pages, decoded

    cdef int load_first_page(self, Reader *reader, const ZoneView *zone, page) except -1:
        """The message that page 0 was made for → scratch, the reader at the page's first record. How many it has."""
        cdef Writer writer
        cdef Py_ssize_t size
        cdef const uint8_t *value = octets_of(page, &size)
        writer_init(&writer, self.scratch, MAX_MESSAGE)
        memset(self.scratch, 0, HEADER_SIZE)
        writer.pos = HEADER_SIZE
        write_octets(&writer, zone.apex, zone.header.apex_length)
        write_u32(&writer, 0)
        write_octets(&writer, zone.head, zone.header.head_length)
        reader.pos = writer.pos
        write_octets(&writer, value + PAGE_PREFIX, size - PAGE_PREFIX)
        reader.data, reader.size, reader.status = self.scratch, writer.pos, writer.status
        return load_u16(value)

    cdef int load_page(self, Reader *reader, page) except -1:
        """The same for any later page."""
        cdef Py_ssize_t size
        cdef const uint8_t *value = octets_of(page, &size)
        memset(self.scratch, 0, HEADER_SIZE)
        memcpy(self.scratch + HEADER_SIZE, value + PAGE_PREFIX, size - PAGE_PREFIX)
        reader_init(reader, self.scratch, HEADER_SIZE + size - PAGE_PREFIX)
        reader.pos = HEADER_SIZE
        return load_u16(value)

    cdef int write_ns(self, Turn *turn, const ZoneView *zone) except -1:
        """The apex's NS records. They are on page 0, unless so many A records come before them that they are not."""
        cdef Reader reader
        cdef int count, found = 0
        page = self.txn.get(image_key(zone.header.image), None, self.store.pages)
        pages = self.pages_after_first(self.txn, zone)
        body_begin(turn)
        count = self.load_first_page(&reader, zone, page)
        while copy_ns(turn, zone, &reader, count, &found):
            later = next(pages, None)
            if later is None or not bytes(later[0]).startswith(image_key(zone.header.image)):
                break
            count = self.load_page(&reader, later[1])
        reply_count(turn.out.data, 1, found)
        return 0

    # --------------------------------------------------------------------------------------------------------- the end

    cdef Py_ssize_t finish(self, Turn *turn, int rcode) except? -3:
        cdef Writer *out = &turn.out
        cdef int additional = 0
        if rcode == NOERROR and out.status != OK:
            self.whole = False
            rcode = truncate(turn)
        elif rcode != NOERROR:
            reply_begin(out, &turn.query, 0, rcode)
        out.size = MAX_MESSAGE
        if turn.query.has_opt:
            turn.opt.rcode = rcode
            opt_write(out, &turn.opt)
            additional = 1
            reply_count(out.data, 3, 1)
        if self.verdict is not None:
            self.sign(out, additional)
        count(self.counters, rcode_counter(rcode))
        if self.whole:
            self.count_whole(out.pos)
        return out.pos

    cdef int sign(self, Writer *out, int additional) except -1:
        cdef Py_ssize_t size
        record = tsig.reply_record(self.verdict, octets_copy(out.data, out.pos), self.clock())
        write_octets(out, octets_of(record, &size), size)
        reply_count(out.data, 3, additional + 1)
        return 0

    cdef void count_whole(self, Py_ssize_t octets) noexcept:
        self.octets = octets
        count(self.counters, TRANSFERS_FINISHED)
        count(self.counters, TRANSFER_MESSAGES)
        count_many(self.counters, TRANSFER_RECORDS, self.records)
        count_many(self.counters, TRANSFER_OCTETS, octets)

    # ------------------------------------------------------------------------------------------------------ for Python

    def respond(self, const uint8_t[::1] query not None, str address not None, bint tcp):
        """All messages of the answer, None for no answer, "close" where a TCP connection would end."""
        cdef Peer peer
        cdef Py_ssize_t size
        cdef uint8_t *out = <uint8_t *>PyMem_Malloc(MAX_MESSAGE)
        octets = ip_address(address).packed
        memcpy(peer.address, PyBytes_AS_STRING(octets), len(octets))
        peer.address_length = <int>len(octets)
        peer.port = 0
        try:
            self.begin()
            size = self.answer(&query[0] if query.shape[0] else out, query.shape[0], &peer, tcp, out)
            if size == TRANSFER:
                return drain(self.take_transfer())
            if size <= 0:
                return "close" if size == CLOSE else None
            return [octets_copy(out, size)]
        finally:
            self.end()
            PyMem_Free(out)


cdef int truncate(Turn *turn) noexcept nogil:
    """Over UDP: ask again over TCP. Over TCP nothing larger can be sent. The rcode."""
    cdef int rcode = SERVFAIL if turn.tcp else NOERROR
    writer_init(&turn.out, turn.out.data, MAX_MESSAGE)
    reply_begin(&turn.out, &turn.query, 0 if turn.tcp else AA | TC, rcode)
    return rcode


# ---------------------------------------------------------------------------------------------------------- rewriting


cdef struct Rewriter:  # a message body under way
    Writer out
    int count


cdef void rewriter_begin(Rewriter *rewriter, uint8_t *room, Py_ssize_t size) noexcept nogil:
    writer_init(&rewriter.out, room, size)
    rewriter.count = 0


cdef tuple rewriter_take(Rewriter *rewriter):
    message = rewriter.count, octets_copy(rewriter.out.data, rewriter.out.pos)
    rewriter_begin(rewriter, rewriter.out.data, rewriter.out.size)
    return message


cdef void write_rdata(Writer *out, const Reader *reader, const Head *head) noexcept nogil:
    """TTL and rdata of a record, names in full."""
    cdef Reader inner
    cdef Py_ssize_t length_at
    reader_init(&inner, reader.data, head.rdata + head.rdlength)
    inner.pos = head.rdata
    write_u32(out, head.ttl)
    length_at = out.pos
    write_u16(out, 0)
    rdata_unpack(&inner, head.rrtype, head.rdlength, out)
    if out.status == OK:
        store_u16(out.data + length_at, <uint16_t>(out.pos - length_at - 2))


cdef bint rewrite_record(Rewriter *rewriter, const Reader *reader, const Head *head) noexcept nogil:
    """False: it does not fit any more, and nothing is changed."""
    cdef Writer before = rewriter.out
    write_octets(&rewriter.out, head.owner, head.owner_length)
    write_u16(&rewriter.out, head.rrtype)
    write_u16(&rewriter.out, head.rrclass)
    write_rdata(&rewriter.out, reader, head)
    if rewriter.out.status != OK:
        rewriter.out = before
        return False
    rewriter.count += 1
    return True


cdef bint copy_ns(Turn *turn, const ZoneView *zone, Reader *reader, int count, int *found) noexcept nogil:
    """Copy the apex's NS records of one page. True: later pages may have more."""
    cdef Head head
    cdef int index
    for index in range(count):
        if not head_read(reader, &head) or head.owner_length != zone.header.apex_length or head.rrtype > TYPE_NS:
            return False
        if head.rrtype == TYPE_NS:
            write_u16(&turn.out, 0xC000 | QUESTION_AT)
            write_u16(&turn.out, TYPE_NS)
            write_u16(&turn.out, CLASS_IN)
            write_rdata(&turn.out, reader, &head)
            found[0] += 1
    return True


# ----------------------------------------------------------------------------------------------------------- Transfer


cdef class Transfer:
    cdef Py_ssize_t fill(self, Batch *batch) except -1:
        cdef Py_ssize_t before = batch.total
        while self.step < self.steps and self.txn is not None and self.has_room(batch):
            self.add_next(batch)
        return batch.total - before

    cdef void close(self):
        txn, self.txn = self.txn, None
        self.pages = None
        if txn is not None:
            txn.abort()

    cdef bint has_room(self, const Batch *batch) noexcept:
        return (
            batch.total < BATCH_TARGET
            and batch.count + MAX_PARTS <= MAX_IOV
            and batch.scratch_used + FRAME_SIZE + self.signed_size <= BATCH_SCRATCH
        )

    cdef int add_next(self, Batch *batch) except -1:
        cdef Py_ssize_t size
        cdef bint first = self.step == 0
        if self.step < <uint32_t>len(self.prelude):
            questions, answers, parts = self.prelude[self.step]
            if first and self.opt:
                parts += (self.opt,)
            self.add(batch, questions, answers, first and len(self.opt) > 0, parts)
        elif self.coda and self.step == self.steps - 1:
            self.add(batch, 0, 1, 0, (self.coda,))
        else:
            value = self.next_page()
            self.add(batch, 0, load_u16(octets_of(value, &size)), 0, (value[PAGE_PREFIX:],))
        self.step += 1
        return 0

    cdef object next_page(self):
        """The next page's value. Each key is checked: another zone's page must never slip into this stream."""
        cdef Py_ssize_t size
        page = next(self.pages, None)
        if page is None or not bytes(page[0]).startswith(self.image):
            raise StoreError("an image has fewer pages than its zone's row says")
        return page[1]

    # Header and parts as one message, its length in front.
    cdef int add(self, Batch *batch, int questions, int answers, int additional, tuple parts) except -1:
        cdef uint8_t *frame = batch.scratch + batch.scratch_used
        cdef Py_ssize_t size = HEADER_SIZE
        batch.scratch_used += FRAME_SIZE
        store_u16(frame + 2, self.ident)
        store_u16(frame + 4, self.flags)
        store_u16(frame + 6, <uint16_t>questions)
        store_u16(frame + 8, <uint16_t>answers)
        store_u16(frame + 10, 0)
        store_u16(frame + 12, <uint16_t>additional)
        push(batch, frame, FRAME_SIZE)
        for part in parts:
            size += push_object(batch, part)
        if self.stream is not None:
            size += self.sign(batch, frame, additional, parts)
        store_u16(frame, <uint16_t>size)
        self.note(answers, size)
        return 0

    cdef Py_ssize_t sign(self, Batch *batch, uint8_t *frame, int additional, tuple parts) except -1:
        cdef uint8_t *at = batch.scratch + batch.scratch_used
        cdef Py_ssize_t size = self.stream.sign_into(frame + 2, parts, at)
        batch.scratch_used += size
        store_u16(frame + 12, <uint16_t>(additional + 1))
        push(batch, at, size)
        return size

    cdef void note(self, int answers, Py_ssize_t size) noexcept:
        self.messages += 1
        self.records += answers
        self.octets += size
        count(self.counters, TRANSFER_MESSAGES)
        count_many(self.counters, TRANSFER_RECORDS, answers)
        count_many(self.counters, TRANSFER_OCTETS, size)


cdef void push(Batch *batch, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    batch.iov[batch.count].iov_base = <void *>octets
    batch.iov[batch.count].iov_len = size
    batch.count += 1
    batch.total += size


cdef Py_ssize_t push_object(Batch *batch, object part) except -1:
    cdef Py_ssize_t size
    cdef const uint8_t *octets = octets_of(part, &size)
    push(batch, octets, size)
    return size


cdef list drain(Transfer transfer):
    """Every message of a transfer, for respond()."""
    cdef Batch *batch = <Batch *>PyMem_Malloc(sizeof(Batch))
    cdef int index
    messages = bytearray()
    try:
        batch_reset(batch)
        while transfer.fill(batch) > 0:
            for index in range(batch.count):
                messages += octets_copy(<uint8_t *>batch.iov[index].iov_base, batch.iov[index].iov_len)
            batch_reset(batch)
    finally:
        transfer.close()
        PyMem_Free(batch)
    return split(bytes(messages))


cdef list split(bytes stream):
    messages = []
    at = 0
    while at < len(stream):
        size = int.from_bytes(stream[at : at + 2], "big")
        messages.append(stream[at + 2 : at + 2 + size])
        at += 2 + size
    return messages
