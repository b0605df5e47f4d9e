# SPDX-License-Identifier: Apache-2.0
"""The records of one zone in memory, and what must be true of them together (RFC 1034 §3.6.2, RFC 2181 §5, RFC 6672).

The arena holds owners (name and key, once per run of records with that owner) and entries (16 octets and the rdata), each
on 8 octets, in the order they came. It is a chain of blocks that never move, so it grows without a copy and can take over
another's blocks: memory touched for the first time is what a large zone pays most for. The index holds a slot per record and is what sort() orders: runs of
one owner are ordered by 8 octets of their key at a time (radix, then again inside each group of equals), so the arena
is touched once per level and not once per comparison; then the few records of each owner by type and rdata.

An rrset whose TTLs differ is no error: check() warns and gives all its records the lowest (RFC 2181 §5.2). RRSIGs form
no rrset (RFC 4035 §2.2): theirs must agree per type covered only.
"""

from collections.abc import Iterator

from cython cimport final
from libc.stdint cimport UINT32_MAX, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from posix.mman cimport MADV_HUGEPAGE, madvise
from libc.string cimport memcmp, memcpy, memmove, memset
from fastmdns.name cimport MAX_KEY, name_key, name_length, name_to_text, name_within
from fastmdns.wire cimport NO_MEMORY, OK, load_u16

from bisect import bisect_right

from fastmdns.errors import Problem, WireError

cdef enum:
    TYPE_NS = 2
    TYPE_CNAME = 5
    TYPE_SOA = 6
    TYPE_KEY = 25
    TYPE_DNAME = 39
    TYPE_RRSIG = 46
    TYPE_NSEC = 47
    MAX_TTL = 0x7FFFFFFF  # RFC 2181 §8
    MAX_PROBLEMS = 100  # a broken zone of a million records needs no million lines
    HUGE_PAGE = 2 << 20
    RADIX_FROM = 64  # runs: below, insertion is quicker than eight passes over 256 counters
    MERGE_FROM = 16  # records of one owner: below, insertion is quicker


cdef struct Run:  # neighbouring slots with one owner in the arena
    uint64_t prefix
    uint32_t first
    uint32_t count


cdef inline uint64_t aligned(uint64_t size) noexcept nogil:
    return (size + 7) & ~<uint64_t>7


cdef inline uint64_t key_prefix(const uint8_t *key, int length, int offset) noexcept nogil:
    """Eight octets of the key from offset on, big-endian; behind its end 0, which no key has at the start of a label."""
    cdef uint64_t prefix = 0
    cdef int index
    for index in range(offset, min(offset + 8, length)):
        prefix |= <uint64_t>key[index] << (56 - 8 * (index - offset))
    return prefix


cdef inline const uint8_t *block_octets(const Block *block) noexcept nogil:
    return <const uint8_t *>(block + 1)


cdef inline int compare(const uint8_t *one, Py_ssize_t one_size, const uint8_t *other, Py_ssize_t other_size) noexcept nogil:
    cdef int order = memcmp(one, other, min(one_size, other_size))
    return order if order else (one_size > other_size) - (one_size < other_size)


@final
cdef class Records:
    def __cinit__(self, bytes apex not None):
        cdef uint8_t key[MAX_KEY]
        if name_length(apex, len(apex)) != len(apex):
            raise WireError("the apex is no valid name")
        self.apex = apex
        self.apex_key_length = name_key(apex, <int>len(apex), key)
        self.in_order = True
        self.sources = []

    def __dealloc__(self):
        free_blocks(self.block)
        free(self.slots)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        cdef Py_ssize_t index = 0
        while index < self.count:
            yield tuple_at(self, index)
            index += 1

    def add(self, bytes owner not None, int rrtype, uint32_t ttl, bytes rdata not None) -> None:
        require(self, owner, rrtype, ttl, rdata)
        if self.append(owner, <int>len(owner), <uint16_t>rrtype, ttl, rdata, <uint16_t>len(rdata)) != OK:
            raise MemoryError

    def sort(self) -> None:
        cdef int status
        with nogil:
            status = self.put_in_order()
        if status != OK:
            raise MemoryError

    def check(self) -> list[Problem]:
        """Sort, and name what keeps the zone from being served. (Differing TTLs are unify_ttls()'s.)"""
        self.sort()
        problems = check_apex(self)
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t end
        while start < self.count and len(problems) < MAX_PROBLEMS:
            with nogil:
                start = next_conflict(self, start)
                end = owner_end(self, start)
            if start < self.count:
                problems.extend(conflicts(self, start, end))
            start = end
        return problems

    def unify_ttls(self) -> list[Problem]:
        """Sort, give all records of an rrset its lowest TTL, and name the rrsets where that changed something."""
        self.sort()
        warnings = []
        cdef Py_ssize_t start = 0
        while start < self.count:
            with nogil:
                start = next_ttl_mismatch(self, start)
            if start < self.count:
                warnings.append(unify_rrset(self, start))
                start += 1
        return warnings

    def mark_source(self, str name not None, int lines_before=0) -> None:
        """Records appended from now on come from that file; their lines are counted from behind lines_before."""
        self.sources.append((arena_end(self), name, lines_before))

    cdef int reserve(self, uint64_t octets, Py_ssize_t records) noexcept nogil:
        cdef Py_ssize_t slot_room = self.count + records
        cdef void *memory
        if (self.block == NULL or self.block.room - self.block.used < octets) and open_block(self, octets) != OK:
            return NO_MEMORY
        if slot_room > self.slot_room:
            memory = larger(self.slots, <size_t>slot_room * sizeof(Slot))
            if memory == NULL:
                return NO_MEMORY
            self.slots = <Slot *>memory
            self.slot_room = slot_room
        return OK

    cdef int append(self, const uint8_t *owner, int owner_length, uint16_t rrtype, uint32_t ttl, const uint8_t *rdata,
                    uint16_t rdlength) noexcept nogil:
        cdef uint64_t most = sizeof(Owner) + 256 + MAX_KEY + sizeof(Entry) + rdlength + 16
        if (self.block == NULL or self.block.room - self.block.used < most) and (
            open_block(self, arena_end(self) // 2 + most + 4096) != OK
        ):
            return NO_MEMORY
        if self.count == self.slot_room and self.reserve(0, self.count // 2 + 64) != OK:
            return NO_MEMORY
        cdef bint known = is_last_owner(self, owner, owner_length)
        if not known:
            put_owner(self, owner, owner_length)
        put_entry(self, rrtype, ttl, rdata, rdlength, known)
        return OK

    cdef Record at(self, Py_ssize_t index) noexcept nogil:
        cdef Entry *entry = self.slots[index].entry
        cdef Owner *owner = owner_of(entry)
        cdef Record record
        record.owner = <const uint8_t *>(owner + 1)
        record.key = record.owner + owner.length
        record.rdata = <const uint8_t *>(entry + 1)
        record.ttl = entry.ttl
        record.rrtype = entry.rrtype
        record.rdlength = entry.rdlength
        record.key_length = owner.key_length
        record.owner_length = owner.length
        record.owner_id = <uint64_t>owner
        return record

    cdef int put_in_order(self) noexcept nogil:
        if self.in_order:
            return OK
        if self.count > UINT32_MAX:
            return NO_MEMORY
        if order_owners(self) != OK or order_rrsets(self) != OK:
            return NO_MEMORY
        self.in_order = True
        self.last_owner = NULL  # the owner that is last now may lie in another block
        return OK

    cdef int absorb(self, Records other) noexcept nogil:
        if other.count == 0:
            return OK
        if self.reserve(0, other.count) != OK:
            return NO_MEMORY
        memcpy(self.slots + self.count, other.slots, other.count * sizeof(Slot))
        self.in_order = self.in_order and other.in_order and (
            self.count == 0 or in_canonical_order(self.slots[self.count - 1].entry, other.slots[0].entry)
        )
        self.count += other.count
        self.last_owner = other.last_owner
        take_blocks(self, other)
        other.count = 0
        return OK

    cdef Py_ssize_t rrset_end(self, Py_ssize_t index) noexcept nogil:
        cdef Entry *first = self.slots[index].entry
        cdef uint16_t rrtype = first.rrtype
        index += 1
        while (
            index < self.count
            and self.slots[index].entry.rrtype == rrtype
            and compare_owners(first, self.slots[index].entry) == 0
        ):
            index += 1
        return index


# --- the arena


cdef void *larger(void *block, uint64_t size) noexcept nogil:
    """realloc, and large pages for large blocks: a fault per 4 KiB is a fifth of the time a large zone takes to read."""
    cdef void *memory = realloc(block, size)
    cdef size_t start = (<size_t>memory + HUGE_PAGE - 1) & ~<size_t>(HUGE_PAGE - 1)
    cdef size_t end = (<size_t>memory + size) & ~<size_t>(HUGE_PAGE - 1)
    if memory != NULL and start < end:
        madvise(<void *>start, end - start, MADV_HUGEPAGE)  # a wish; nothing depends on it
    return memory


cdef int open_block(Records zone, uint64_t room) noexcept nogil:
    """A block with that much room for what comes next. OK or NO_MEMORY."""
    cdef Block *block = <Block *>larger(NULL, sizeof(Block) + room)
    if block == NULL:
        return NO_MEMORY
    block.start = arena_end(zone)
    block.before = zone.block
    block.used = 0
    block.room = room
    zone.block = block
    zone.last_owner = NULL  # entries stand in one block with their owner
    return OK


cdef inline uint64_t arena_end(Records zone) noexcept nogil:
    """The position in the arena of what comes next."""
    return zone.block.start + zone.block.used if zone.block != NULL else 0


cdef uint64_t position(Records zone, const Entry *entry) noexcept nogil:
    """Of an entry in the arena."""
    cdef const uint8_t *at = <const uint8_t *>entry
    cdef const Block *block = zone.block
    while not block_octets(block) <= at < block_octets(block) + block.used:
        block = block.before
    return block.start + <uint64_t>(at - block_octets(block))


cdef void take_blocks(Records zone, Records other) noexcept nogil:
    """The other's blocks behind these."""
    cdef uint64_t start = arena_end(zone)
    cdef Block *block = other.block
    while True:
        block.start += start
        if block.before == NULL:
            break
        block = block.before
    block.before = zone.block
    zone.block = other.block
    other.block = NULL
    other.last_owner = NULL


cdef void free_blocks(Block *block) noexcept nogil:
    cdef Block *before
    while block != NULL:
        before = block.before
        free(block)
        block = before


cdef inline Owner *owner_of(const Entry *entry) noexcept nogil:
    return <Owner *>(<uint8_t *>entry - 8 * <uint64_t>entry.owner_back)


cdef inline uint8_t *block_end(Records zone) noexcept nogil:
    return <uint8_t *>block_octets(zone.block) + zone.block.used


cdef inline bint is_last_owner(Records zone, const uint8_t *name, int length) noexcept nogil:
    return (
        zone.last_owner != NULL
        and zone.last_owner.length == length
        and block_end(zone) - <uint8_t *>zone.last_owner < 8 * <Py_ssize_t>UINT32_MAX
        and memcmp(zone.last_owner + 1, name, length) == 0
    )


cdef inline void put_owner(Records zone, const uint8_t *name, int length) noexcept nogil:
    cdef Owner *owner = <Owner *>block_end(zone)
    cdef uint8_t *octets = <uint8_t *>(owner + 1)
    memcpy(octets, name, length)
    owner.length = <uint8_t>length
    owner.key_length = <uint16_t>name_key(name, length, octets + length)
    zone.last_owner = owner
    zone.block.used += aligned(sizeof(Owner) + length + owner.key_length)


cdef inline void put_entry(Records zone, uint16_t rrtype, uint32_t ttl, const uint8_t *rdata, uint16_t rdlength,
                           bint known) noexcept nogil:
    cdef Entry *entry = <Entry *>block_end(zone)
    cdef Slot *slot = zone.slots + zone.count
    entry.owner_back = <uint32_t>((<uint8_t *>entry - <uint8_t *>zone.last_owner) // 8)
    entry.line = zone.line
    entry.ttl = ttl
    entry.rrtype = rrtype
    entry.rdlength = rdlength
    memcpy(entry + 1, rdata, rdlength)
    slot.entry = entry
    slot.prefix = zone.slots[zone.count - 1].prefix if known else prefix_at(zone, entry, 0)
    zone.in_order = zone.in_order and settle(zone, known)
    zone.block.used += aligned(sizeof(Entry) + rdlength)
    zone.count += 1


cdef inline uint64_t prefix_at(Records zone, const Entry *entry, int offset) noexcept nogil:
    cdef Owner *owner = owner_of(entry)
    return key_prefix(<const uint8_t *>(owner + 1) + owner.length, owner.key_length, zone.apex_key_length + offset)


cdef inline bint settle(Records zone, bint known) noexcept nogil:
    """Is the zone in order with the slot at its end, which may move a few places among those of its owner?

    Files list an owner's records in any order far more often than its owners; this saves the sort.
    """
    cdef Slot *slots = zone.slots
    cdef Slot added = slots[zone.count]
    cdef Py_ssize_t at = zone.count
    cdef int order = -1
    if at == 0:
        return True
    if not known:
        return in_canonical_order(slots[at - 1].entry, added.entry)
    while at > 0 and zone.count - at < MERGE_FROM and owner_of(slots[at - 1].entry) == owner_of(added.entry):
        order = compare_rdata(slots[at - 1].entry, added.entry)
        if order <= 0:
            break
        at -= 1
    if order == 0:
        return False
    if order > 0 and at > 0 and compare_owners(slots[at - 1].entry, added.entry) >= 0:
        return False  # too far to walk, or the same name stands before in other case
    if at < zone.count:
        memmove(slots + at + 1, slots + at, (zone.count - at) * sizeof(Slot))
        slots[at] = added
    return True


# --- the order


cdef inline int compare_owners(const Entry *one, const Entry *other) noexcept nogil:
    cdef Owner *first = owner_of(one)
    cdef Owner *second = owner_of(other)
    if first == second:
        return 0
    return compare(
        <const uint8_t *>(first + 1) + first.length,
        first.key_length,
        <const uint8_t *>(second + 1) + second.length,
        second.key_length,
    )


cdef inline int compare_rdata(const Entry *one, const Entry *other) noexcept nogil:
    """Type, then rdata as octets (RFC 4034 §6.3)."""
    if one.rrtype != other.rrtype:
        return -1 if one.rrtype < other.rrtype else 1
    return compare(<const uint8_t *>(one + 1), one.rdlength, <const uint8_t *>(other + 1), other.rdlength)


cdef inline bint in_canonical_order(const Entry *one, const Entry *other) noexcept nogil:
    """The one stands before the other, and they differ."""
    cdef int order = compare_owners(one, other)
    return order < 0 or (order == 0 and compare_rdata(one, other) < 0)


cdef int order_owners(Records zone) noexcept nogil:
    """The slots by owner; those of equal owners keep their order."""
    cdef Run *runs = <Run *>larger(NULL, 2 * <uint64_t>zone.count * sizeof(Run))
    cdef Py_ssize_t count
    cdef int status = OK
    if runs == NULL:
        return NO_MEMORY
    count = collect_runs(zone, runs)
    if not runs_ascend(zone, runs, count):
        sort_runs(zone, runs, runs + count, count, 0)
        status = follow_runs(zone, runs, count)
    free(runs)
    return status


cdef Py_ssize_t collect_runs(Records zone, Run *runs) noexcept nogil:
    cdef Py_ssize_t count = 0
    cdef Py_ssize_t index
    cdef Owner *owner
    cdef Owner *last = NULL
    for index in range(zone.count):
        owner = owner_of(zone.slots[index].entry)
        if owner == last:
            runs[count - 1].count += 1
            continue
        last = owner
        runs[count].prefix = zone.slots[index].prefix
        runs[count].first = <uint32_t>index
        runs[count].count = 1
        count += 1
    return count


cdef bint runs_ascend(Records zone, const Run *runs, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(1, count):
        if runs[index - 1].prefix > runs[index].prefix:
            return False
        if runs[index - 1].prefix == runs[index].prefix and (
            compare_owners(zone.slots[runs[index - 1].first].entry, zone.slots[runs[index].first].entry) > 0
        ):
            return False
    return True


cdef void sort_runs(Records zone, Run *runs, Run *spare, Py_ssize_t count, int offset) noexcept nogil:
    """Stable, by the keys from offset on; the runs' prefixes hold the 8 octets there."""
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t end
    if count < RADIX_FROM:
        insert_runs(runs, count)
    else:
        radix_runs(runs, spare, count)
    while start < count:
        end = start + 1
        while end < count and runs[end].prefix == runs[start].prefix:
            end += 1
        if end - start > 1 and load_prefixes(zone, runs + start, end - start, offset + 8):
            sort_runs(zone, runs + start, spare, end - start, offset + 8)
        start = end


cdef bint load_prefixes(Records zone, Run *runs, Py_ssize_t count, int offset) noexcept nogil:
    """The next 8 octets of each key. False where no key goes on so far: these owners are equal."""
    cdef Py_ssize_t index
    cdef uint64_t longer = 0
    for index in range(count):
        runs[index].prefix = prefix_at(zone, zone.slots[runs[index].first].entry, offset)
        longer |= runs[index].prefix
    return longer != 0


cdef int follow_runs(Records zone, const Run *runs, Py_ssize_t count) noexcept nogil:
    cdef Slot *slots = <Slot *>larger(NULL, <uint64_t>zone.count * sizeof(Slot))
    cdef Py_ssize_t index
    cdef Py_ssize_t at = 0
    if slots == NULL:
        return NO_MEMORY
    for index in range(count):
        memcpy(slots + at, zone.slots + runs[index].first, runs[index].count * sizeof(Slot))
        at += runs[index].count
    free(zone.slots)
    zone.slots = slots
    zone.slot_room = zone.count
    return OK


cdef int order_rrsets(Records zone) noexcept nogil:
    """The slots of each owner by type and rdata, one of each kept."""
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t end
    cdef Py_ssize_t kept = 0
    while start < zone.count:
        end = owner_end(zone, start)
        if order_owner(zone, zone.slots + start, end - start) != OK:
            return NO_MEMORY
        kept = keep_distinct(zone, start, end, kept)
        start = end
    zone.count = kept
    return OK


cdef int order_owner(Records zone, Slot *slots, Py_ssize_t count) noexcept nogil:
    cdef Slot *spare
    if count < MERGE_FROM:
        insert_slots(zone, slots, count)
        return OK
    spare = <Slot *>malloc(<size_t>count * sizeof(Slot))
    if spare == NULL:
        return NO_MEMORY
    merge_slots(zone, slots, spare, count)
    free(spare)
    return OK


cdef inline void insert_slots(Records zone, Slot *slots, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t index, at
    cdef Slot slot
    for index in range(1, count):
        slot = slots[index]
        at = index
        while at > 0 and compare_rdata(slots[at - 1].entry, slot.entry) > 0:
            slots[at] = slots[at - 1]
            at -= 1
        slots[at] = slot


cdef void merge_slots(Records zone, Slot *slots, Slot *spare, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t half = count // 2
    cdef Py_ssize_t left = 0
    cdef Py_ssize_t right = half
    cdef Py_ssize_t at
    if count < MERGE_FROM:
        insert_slots(zone, slots, count)
        return
    merge_slots(zone, slots, spare, half)
    merge_slots(zone, slots + half, spare, count - half)
    memcpy(spare, slots, count * sizeof(Slot))
    for at in range(count):
        if right == count or (left < half and compare_rdata(spare[left].entry, spare[right].entry) <= 0):
            slots[at] = spare[left]
            left += 1
        else:
            slots[at] = spare[right]
            right += 1


cdef inline Py_ssize_t keep_distinct(Records zone, Py_ssize_t start, Py_ssize_t end, Py_ssize_t kept) noexcept nogil:
    """Of equal records the first stays, with the lowest TTL of them."""
    cdef Py_ssize_t index
    cdef Entry *last
    for index in range(start, end):
        if index > start and compare_rdata(zone.slots[kept - 1].entry, zone.slots[index].entry) == 0:
            last = zone.slots[kept - 1].entry
            last.ttl = min(last.ttl, zone.slots[index].entry.ttl)
            continue
        zone.slots[kept] = zone.slots[index]
        kept += 1
    return kept


cdef inline Py_ssize_t owner_end(Records zone, Py_ssize_t index) noexcept nogil:
    cdef Py_ssize_t end = index + 1
    while (
        end < zone.count
        and zone.slots[end].prefix == zone.slots[index].prefix
        and compare_owners(zone.slots[index].entry, zone.slots[end].entry) == 0
    ):
        end += 1
    return min(end, zone.count)

# --- the rules


cdef int require(Records zone, bytes owner, int rrtype, uint32_t ttl, bytes rdata) except -1:
    if name_length(owner, len(owner)) != len(owner):
        raise WireError("the owner is no valid name")
    if not name_within(owner, <int>len(owner), zone.apex, <int>len(zone.apex)):
        raise WireError(f"{name_text(owner)} is not within the zone {name_text(zone.apex)}")
    if not 0 < rrtype <= 0xFFFF:
        raise WireError("a record's type is a number from 1 to 65535")
    if ttl > MAX_TTL:
        raise WireError("a TTL is larger than 2147483647")
    if len(rdata) > 0xFFFF:
        raise WireError("rdata is longer than 65535 octets")
    return 0


cdef list check_apex(Records zone):
    """The apex sorts first, so its records are the first ones."""
    cdef Py_ssize_t index = 0
    cdef Py_ssize_t end = 0
    cdef list soa = []
    cdef bint has_ns = False
    cdef str file = zone.sources[0][1] if zone.sources else ""
    if zone.count and zone.at(0).key_length == zone.apex_key_length:
        end = owner_end(zone, 0)
    for index in range(end):
        if zone.at(index).rrtype == TYPE_SOA:
            soa.append(index)
        has_ns = has_ns or zone.at(index).rrtype == TYPE_NS
    problems = [problem(zone, index, "a second SOA record: a zone has exactly one") for index in soa[1:]]
    if not soa:
        problems.append(Problem(f"no SOA record at {name_text(zone.apex)}", file))
    if not has_ns:
        problems.append(Problem(f"no NS record at {name_text(zone.apex)}", file))
    return problems


cdef Py_ssize_t next_conflict(Records zone, Py_ssize_t index) noexcept nogil:
    """The first slot from index on of an owner with a CNAME, DNAME or, below the apex, SOA; else the count."""
    cdef Entry *entry
    cdef Py_ssize_t at
    for at in range(index, zone.count):
        entry = zone.slots[at].entry
        if entry.rrtype == TYPE_CNAME or entry.rrtype == TYPE_DNAME or (
            entry.rrtype == TYPE_SOA and owner_of(zone.slots[at].entry).key_length != zone.apex_key_length
        ):
            return owner_start(zone, at)
    return zone.count


cdef Py_ssize_t owner_start(Records zone, Py_ssize_t index) noexcept nogil:
    while index > 0 and compare_owners(zone.slots[index - 1].entry, zone.slots[index].entry) == 0:
        index -= 1
    return index


cdef list conflicts(Records zone, Py_ssize_t start, Py_ssize_t end):
    cdef Record first = zone.at(start)
    types = [zone.at(index).rrtype for index in range(start, end)]
    text = name_text(first.owner[:first.owner_length])
    problems = []
    if TYPE_SOA in types and first.key_length != zone.apex_key_length:
        index = start + types.index(TYPE_SOA)
        problems.append(problem(zone, index, f"SOA record at {text}, but only the apex has one"))
    for rrtype, word in ((TYPE_CNAME, "CNAME"), (TYPE_DNAME, "DNAME")):
        if types.count(rrtype) > 1:
            index = start + types.index(rrtype) + 1
            problems.append(problem(zone, index, f"a second {word} record at {text}: a name has one at most"))
    others = [at for at, rrtype in enumerate(types) if rrtype not in (TYPE_CNAME, TYPE_RRSIG, TYPE_NSEC, TYPE_KEY)]
    if TYPE_CNAME in types and others:
        problems.append(problem(zone, start + others[0], f"{text} has a CNAME record, so it can have no other data"))
    return problems


cdef Py_ssize_t next_ttl_mismatch(Records zone, Py_ssize_t index) noexcept nogil:
    """The first slot from index on whose rrset goes on in the next slot with another TTL; else the count."""
    cdef Py_ssize_t at
    for at in range(index, zone.count - 1):
        if zone.slots[at].entry.ttl != zone.slots[at + 1].entry.ttl and (
            share_ttl(zone.slots[at].entry, zone.slots[at + 1].entry)
        ):
            return at
    return zone.count


cdef bint share_ttl(const Entry *one, const Entry *other) noexcept nogil:
    if one.rrtype != other.rrtype or compare_owners(one, other) != 0:
        return False
    if one.rrtype != TYPE_RRSIG or one.rdlength < 2 or other.rdlength < 2:
        return True
    return load_u16(<const uint8_t *>(one + 1)) == load_u16(<const uint8_t *>(other + 1))


cdef object unify_rrset(Records zone, Py_ssize_t index):
    """The warning. All records that share the TTL of the one at index get the lowest; they lie side by side."""
    cdef Py_ssize_t start = index
    cdef Py_ssize_t end = index + 1
    cdef Entry *entry = zone.slots[index].entry
    while start > 0 and share_ttl(zone.slots[start - 1].entry, entry):
        start -= 1
    while end < zone.count and share_ttl(entry, zone.slots[end].entry):
        end += 1
    lowest = min([zone.slots[at].entry.ttl for at in range(start, end)])
    for at in range(start, end):
        zone.slots[at].entry.ttl = lowest
    record = zone.at(start)
    text = name_text(record.owner[:record.owner_length])
    return problem(zone, start, f"the TTLs of an rrset at {text} differ: the lowest, {lowest}, is used for all of it")


cdef object problem(Records zone, Py_ssize_t index, str reason):
    cdef Entry *entry = zone.slots[index].entry
    cdef uint32_t line = entry.line
    source = bisect_right(zone.sources, position(zone, entry), key=source_start)
    _, name, before = zone.sources[source - 1] if source else (0, "", 0)
    return Problem(reason, name, before + line if line else 0)


cdef tuple tuple_at(Records zone, Py_ssize_t index):
    cdef Record record = zone.at(index)
    return (
        record.owner[:record.owner_length],
        record.rrtype,
        record.ttl,
        record.rdata[:record.rdlength],
    )


cdef void insert_runs(Run *runs, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t index, at
    cdef Run run
    for index in range(1, count):
        run = runs[index]
        at = index
        while at > 0 and runs[at - 1].prefix > run.prefix:
            runs[at] = runs[at - 1]
            at -= 1
        runs[at] = run


cdef void radix_runs(Run *runs, Run *spare, Py_ssize_t count) noexcept nogil:
    """Stable, least octet first; an octet that all prefixes share costs nothing."""
    cdef uint32_t[8][256] counts
    cdef Run *source = runs
    cdef Run *target = spare
    cdef Py_ssize_t index
    cdef int octet
    memset(counts, 0, sizeof(counts))
    for index in range(count):
        for octet in range(8):
            counts[octet][(runs[index].prefix >> (8 * octet)) & 0xFF] += 1
    for octet in range(8):
        if counts[octet][(runs[0].prefix >> (8 * octet)) & 0xFF] != <uint32_t>count:
            radix_pass(source, target, count, 8 * octet, counts[octet])
            source, target = target, source
    if source != runs:
        memcpy(runs, source, count * sizeof(Run))


cdef void radix_pass(const Run *source, Run *target, Py_ssize_t count, int shift, uint32_t *counts) noexcept nogil:
    cdef uint32_t before = 0
    cdef uint32_t here
    cdef int value
    cdef Py_ssize_t index
    for value in range(256):
        here = counts[value]
        counts[value] = before
        before += here
    for index in range(count):
        value = (source[index].prefix >> shift) & 0xFF
        target[counts[value]] = source[index]
        counts[value] += 1


cdef str name_text(bytes name):
    cdef char text[1024]
    return text[:name_to_text(name, <int>len(name), text)].decode("ascii")


def source_start(source: tuple[int, str, int]) -> int:
    return source[0]
