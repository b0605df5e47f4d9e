# SPDX-License-Identifier: Apache-2.0
"""Zone files → Records: the master format of RFC 1035 §5.1 and RFC 2308 §4, $GENERATE, and RFC 3597's generic text.

A file is read through one buffer of a few hundred kilobytes that stays in the cache; mapped memory would kill the
process when someone cuts the file short. A logical line becomes tokens that borrow the buffer, and tokens become a
record in the arena, without the GIL; only directives, rare types and mistakes come up to Python.

All mistakes of a zone are collected (MAX_PROBLEMS, then a count) and nothing is dropped in silence: a record outside
the zone is a mistake. A large file is read by two threads: the second begins in the middle, at a line that looks like
the start of a record, and the first accepts its work only after it came to that very line as the start of a record
and with the same $ORIGIN and TTL; the second stops by itself where Python is needed. Where RFCs leave room: a TTL that is missing is $TTL's, else that of the record before, else the
SOA's minimum. Differing TTLs in an rrset are a warning and the lowest is used. A string of more than 255 octets is
refused, not split. What $ORIGIN, $TTL and owners say inside an included file ends with it. $INCLUDE is relative to the
file it stands in and can't leave the zone's folder.
"""

import os
import re
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from stat import S_ISREG
from threading import Thread
from typing import BinaryIO, NamedTuple

from cpython.buffer cimport PyBUF_WRITE
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove
from fastmdns.name cimport name_from_text, name_length, name_within
from fastmdns.rdata cimport Token, rdata_from_text_rare, rdata_from_tokens, rrtype_from_text
from fastmdns.records cimport Records
from fastmdns.wire cimport (
    BAD_BASE64, BAD_HEX, BAD_IPV4, BAD_IPV6, BAD_NUMBER, BAD_TIME, BAD_TYPE, EXTRA_TEXT, MISSING_FIELD, NO_MEMORY, OK,
    RARE, Writer, load_u32, writer_init,
)

from fastmdns import generate, name, rrtypes
from fastmdns.errors import STATUS_REASON, Problem, TextError, WireError, ZoneError

cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    /* Behind the octets of which none can end a word, 16 at a time: stops at blanks, controls, " ( ) ; and \\. */
    static inline const uint8_t *skip_plain(const uint8_t *at) {
        for (;; at += 16) {
            __m128i text = _mm_loadu_si128((const __m128i *)at);
            __m128i stop = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(' ')), text);
            stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_and_si128(text, _mm_set1_epi8(-2)), _mm_set1_epi8('(')));
            stop = _mm_or_si128(stop, _mm_cmpeq_epi8(text, _mm_set1_epi8(';')));
            stop = _mm_or_si128(stop, _mm_cmpeq_epi8(text, _mm_set1_epi8('"')));
            stop = _mm_or_si128(stop, _mm_cmpeq_epi8(text, _mm_set1_epi8('\\\\')));
            int mask = _mm_movemask_epi8(stop);
            if (mask)
                return at + __builtin_ctz(mask);
        }
    }
    #else
    static inline const uint8_t *skip_plain(const uint8_t *at) { return at; }
    #endif
    """
    const uint8_t *skip_plain(const uint8_t *at) noexcept nogil

MAX_PROBLEMS = 100
MAX_DEPTH = 16  # files that include files
SPLIT_FROM = 16 << 20  # octets of a file: below, a second thread gains next to nothing
PROGRESS_STEP = 4 << 20  # octets between two calls of progress
BUFFER_SIZE = 256 << 10  # fits the second-level cache beside the arena's end
MAX_SHOWN = 60  # octets of a wrong word in a message

cdef enum:
    CLASS_IN = 1
    TYPE_SOA = 6
    TYPE_OPT = 41
    FIRST_QTYPE = 128  # RFC 6895 §3.1: 128 to 255 are for questions and meta records
    LAST_QTYPE = 255
    MAX_TTL = 0x7FFFFFFF  # RFC 2181 §8
    MAX_TTL_TEXT = 24  # characters; no sum of so few can leave 64 bits
    MAX_RDATA = 65535
    SLACK = 16  # octets behind the sentinel that may be read, never used

cdef enum Char:  # what an octet means outside quotes
    WORD = 0
    ESCAPE
    BLANK
    NEWLINE
    RETURN
    COMMENT
    OPEN
    CLOSE
    QUOTE

cdef enum Event:  # why read_records() came back
    LINE = 0  # inside only: a logical line stands in the tokens
    MORE = 1  # the buffer ends inside a line
    END
    FAULT
    DIRECTIVE
    RARE_TYPE
    OUT_OF_MEMORY

cdef enum Fault:  # beside wire.pxd's Status, above its numbers; the words stand in FAULT_REASON
    FIRST_FAULT = 100
    UNCLOSED_QUOTE = 100
    UNCLOSED_PAREN
    STRAY_CLOSE
    STRAY_RETURN
    NO_OWNER
    QUOTED_OWNER
    OUT_OF_ZONE
    EXPECTED_TYPE
    BAD_TTL
    TTL_TOO_LARGE
    OTHER_CLASS
    QUESTION_TYPE
    NO_TTL

FAULT_REASON = (
    "a quoted string is not closed on its line",
    '"(" is never closed',
    '")" closes nothing',
    "a carriage return without a newline behind it",
    "the owner is left blank, but no record stands before this one",
    "an owner name stands without quotes",
    "the owner is not within the zone",
    "expected a type",
    "expected a TTL (seconds, or like 1w2d3h4m5s)",
    "a TTL is at most 2147483647",
    "expected class IN, the only one served",
    "no zone holds records of this type",
    "no TTL: neither the record nor a $TTL or a record before it gives one",
)

cdef uint8_t CHAR[256]
cdef uint32_t UNIT[256]


cdef void fill_tables() noexcept:
    cdef int octet
    for octet in range(256):
        CHAR[octet] = WORD
        UNIT[octet] = 0
    CHAR[c"\\"], CHAR[c" "], CHAR[c"\t"], CHAR[c"\n"], CHAR[c"\r"] = ESCAPE, BLANK, BLANK, NEWLINE, RETURN
    CHAR[c";"], CHAR[c"("], CHAR[c")"], CHAR[c'"'] = COMMENT, OPEN, CLOSE, QUOTE
    for octet in (0, 32):  # both cases
        UNIT[c"W" + octet], UNIT[c"D" + octet], UNIT[c"H" + octet] = 604800, 86400, 3600
        UNIT[c"M" + octet], UNIT[c"S" + octet] = 60, 1


fill_tables()


class Parsed(NamedTuple):
    records: Records  # sorted, checked
    files: tuple[Path, ...]  # the zone's file first, then what it includes
    warnings: list[Problem]


def parse(
    path: str | os.PathLike[str],
    apex: bytes,
    *,
    root: Path | None = None,
    default_ttl: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Parsed:
    """Read a zone's file. root: the folder $INCLUDE may not leave, the file's own if not given.

    Raises ZoneError with every problem found. progress(octets done, octets in all) is called every few megabytes.
    """
    path = Path(path)
    zone = Zone(apex, path.parent if root is None else root, default_ttl, progress)
    try:
        with path.open("rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            zone.total = status.st_size
            zone.read(Section(file.fileno(), 0) if S_ISREG(status.st_mode) else file, path)
    except OSError as error:
        raise ZoneError([Problem(f"cannot be read: {error.strerror}", str(path))]) from error
    return zone.finish()


def parse_text(data: bytes, apex: bytes, *, default_ttl: int | None = None, name: str = "") -> Parsed:
    """The same for octets in memory; $INCLUDE is refused. name: what problems call them."""
    zone = Zone(apex, None, default_ttl, None)
    zone.total = len(data)
    zone.read(BytesIO(data), Path(name) if name else None)
    return zone.finish()


class Section:
    """A file from one offset to another, or to its end; several of one file don't disturb each other."""

    def __init__(self, fd: int, start: int) -> None:
        self.fd = fd
        self.at = start
        self.end = sys.maxsize

    def readinto(self, view: memoryview) -> int:
        got = os.preadv(self.fd, [view[:max(self.end - self.at, 0)]], self.at)
        self.at += got
        return got


cdef class Zone:
    """What all files of one zone fill: its records, and the problems found."""

    cdef Records records
    cdef object root  # Path, or None: no $INCLUDE
    cdef object default_ttl
    cdef object progress
    cdef public object total  # octets of the zone's own file
    cdef object told  # the steps of progress told so far
    cdef list files
    cdef list problems
    cdef Py_ssize_t unnamed  # problems beyond the cap

    def __init__(self, bytes apex not None, root: Path | None, default_ttl: int | None, progress: object) -> None:
        self.records = Records(apex)
        self.root = root
        self.default_ttl = default_ttl
        self.progress = progress
        self.files = []
        self.problems = []
        self.told = 0

    def read(self, file: BinaryIO, path: Path | None) -> None:
        source = Source(self, file, path)
        source.set_origin(self.records.apex)
        if self.default_ttl is not None:
            source.default_ttl = self.default_ttl
        self.records.reserve(2 * self.total, self.total // 32)
        source.can_split = isinstance(file, Section) and self.total >= SPLIT_FROM and len(os.sched_getaffinity(0)) > 1
        source.read()

    def finish(self) -> Parsed:
        """Sort and check. What the zone as a whole lacks is only said of one that could be read whole."""
        warnings = self.records.unify_ttls()
        broken = bool(self.problems)
        for problem in self.records.check():
            if problem.line or not broken:
                self.add(problem)
        if self.unnamed:
            self.problems.append(Problem(f"and {self.unnamed} more"))
        if self.problems:
            raise ZoneError(self.problems)
        return Parsed(self.records, tuple(self.files), warnings)

    cdef int add(self, object problem) except -1:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.unnamed += 1
        return 0


cdef class Source:
    """One file being read: its buffer, and what its lines say about those that follow."""

    cdef Zone zone
    cdef Records records  # the zone's
    cdef object file
    cdef object path  # Path or None
    cdef str shown  # the file's name in problems
    cdef int depth  # how many files include this one
    cdef int fixed_line  # the line of the $GENERATE whose lines these are, else 0
    cdef object done  # octets read
    cdef object before  # octets that were read of the file when this began
    cdef public bint can_split  # worth a second thread; it starts once the file's head is known
    cdef Source ahead  # what reads the file's second half in another thread, or None
    cdef object thread  # of one that is ahead
    cdef bint cancelled, failed  # of one that is ahead: its work is of no use
    cdef int64_t first_ttl  # of one that is ahead: its last_ttl when it began

    cdef uint8_t *buffer  # owned; a sentinel newline and SLACK octets behind the last one
    cdef Py_ssize_t room, size, pos  # pos: where the next logical line begins
    cdef bint final  # nothing is left to read
    cdef Token *tokens  # owned; they borrow the buffer
    cdef int token_room, count
    cdef uint8_t *rdata  # owned, MAX_RDATA octets

    cdef int line  # of pos
    cdef Py_ssize_t begun  # where the logical line begins that was read last
    cdef int begun_line
    cdef bint blank_start  # the logical line begins with a blank: its owner is the last one
    cdef int end_line, end_column  # where the logical line ends

    cdef const uint8_t *apex  # borrowed from the records
    cdef int apex_length
    cdef uint8_t origin[256]
    cdef int origin_length
    cdef bint origin_within
    cdef uint8_t owner[256]
    cdef int owner_length  # 0: none yet; -1: the last one was wrong, and so is whatever leaves its owner blank
    cdef const char *owner_text  # borrowed from the buffer: the last owner as written, NULL where it lies there no more
    cdef Py_ssize_t owner_text_size
    cdef public int64_t default_ttl  # $TTL, else -1
    cdef int64_t last_ttl  # of the record before, else -1
    cdef int64_t ttl  # of this record, -1 where it gives none
    cdef int rrtype
    cdef int first_field  # index of the first token of its rdata

    cdef int fault  # a Status or Fault, with its place
    cdef int fault_token  # index, -1: only line and column are known
    cdef int fault_line, fault_column

    def __cinit__(self, Zone zone not None, file: object, path: object):
        self.zone = zone
        self.records = zone.records
        self.apex = <const uint8_t *><const char *>zone.records.apex
        self.apex_length = <int>len(zone.records.apex)
        self.file = file
        self.path = path
        self.shown = "" if path is None else str(path)
        self.done = self.before = 0
        self.line = 1
        self.default_ttl = self.last_ttl = -1
        self.room = BUFFER_SIZE
        self.token_room = 64
        self.buffer = <uint8_t *>malloc(self.room + SLACK)
        self.tokens = <Token *>malloc(self.token_room * sizeof(Token))
        self.rdata = <uint8_t *>malloc(MAX_RDATA)
        if self.buffer == NULL or self.tokens == NULL or self.rdata == NULL:
            raise MemoryError
        self.buffer[0] = c"\n"

    def __dealloc__(self):
        free(self.buffer)
        free(self.tokens)
        free(self.rdata)

    def set_origin(self, bytes origin not None) -> None:
        memcpy(self.origin, <const char *>origin, len(origin))
        self.origin_length = <int>len(origin)
        self.origin_within = name.within(origin, self.records.apex)
        self.owner_text = NULL

    def read(self) -> None:
        self.records.mark_source(self.shown)
        if self.path is not None and self.path not in self.zone.files:
            self.zone.files.append(self.path)
        try:
            self.read_on(MORE)
        finally:
            if self.ahead is not None:
                self.leave_behind()

    def read_on(self, int event) -> None:
        while event != END:
            if event == MORE:
                self.refill()
            elif event == FAULT:
                self.report()
            elif event == DIRECTIVE:
                self.follow_directive()
            elif event == RARE_TYPE:
                self.add_rare()
            elif event == OUT_OF_MEMORY:
                raise MemoryError
            with nogil:
                event = read_records(self)

    def refill(self) -> None:
        """Keep the line that has begun, and read on behind it."""
        cdef Py_ssize_t got = self.fill()
        if got == 0 and self.ahead is not None and not self.meet():
            got = self.fill()
        self.final = got == 0
        if self.done == got and got >= 3 and memcmp(self.buffer, b"\xEF\xBB\xBF", 3) == 0:
            self.add_problem("the file begins with a UTF-8 byte order mark; save it without one", 1, 1)
            self.pos = 3
        if self.depth == 0 and not self.fixed_line:
            self.tell_progress(got)
        if self.can_split and self.done > got:
            self.split()

    cdef Py_ssize_t fill(self) except -1:
        """The octets that could be read; what is kept moves to the front."""
        cdef Py_ssize_t kept = self.size - self.pos
        memmove(self.buffer, self.buffer + self.pos, kept)
        self.pos = 0
        self.owner_text = NULL
        if kept * 2 > self.room:
            self.grow()
        cdef Py_ssize_t got = self.file.readinto(
            PyMemoryView_FromMemory(<char *>self.buffer + kept, self.room - kept, PyBUF_WRITE)
        )
        self.size = kept + got
        self.buffer[self.size] = c"\n"
        self.done += got
        return got

    cdef int grow(self) except -1:
        cdef uint8_t *larger = <uint8_t *>realloc(self.buffer, self.room * 2 + SLACK)
        if larger == NULL:
            raise MemoryError
        self.buffer = larger
        self.room *= 2
        return 0

    cdef int tell_progress(self, Py_ssize_t got) except -1:
        if self.zone.progress is None:
            return 0
        done = self.before + self.done
        if self.ahead is not None:
            done += self.ahead.before + self.ahead.done
        if got == 0 or done // PROGRESS_STEP != self.zone.told:
            self.zone.told = done // PROGRESS_STEP
            self.zone.progress(done, max(self.zone.total, done))
        return 0

    # --- two threads

    cdef int split(self) except -1:
        """Let another thread begin in the middle of what is left."""
        self.can_split = False
        middle = (self.done + self.zone.total) // 2
        ahead = Source(self.zone, Section(self.file.fd, middle), self.path)
        ahead.fill()
        if not find_record(ahead):
            return 0
        self.file.end = middle + ahead.pos
        ahead.before = -ahead.pos
        ahead.records = Records(self.records.apex)
        ahead.records.reserve(self.zone.total, self.zone.total // 64)
        ahead.inherit(self)
        self.ahead = ahead
        ahead.thread = Thread(target=ahead.read_ahead, name="zonefile")
        ahead.thread.start()
        return 0

    cdef int inherit(self, Source other) except -1:
        """Begin with what its lines said so far, but for the owner."""
        self.set_origin(other.origin[:other.origin_length])
        self.default_ttl = other.default_ttl
        self.last_ttl = self.first_ttl = other.last_ttl
        return 0

    def read_ahead(self) -> None:
        """Read until the end, or to the line that needs Python; that one is left to be read again."""
        cdef int event = LINE
        try:
            while event in (LINE, MORE) and not self.cancelled:
                if event == MORE:
                    self.final = self.fill() == 0
                with nogil:
                    event = read_records(self)
        except (OSError, MemoryError):
            self.failed = True
        if event not in (MORE, END):
            self.pos = self.begun
            self.line = self.begun_line

    cdef bint meet(self) except -1:
        """This half is read. True where the other half can follow it; then all that is left is to go on there."""
        if self.size == 0 and self.agrees_with(self.ahead):
            self.ahead.thread.join()
            if not self.ahead.failed:
                self.hand_over()
                return True
        self.leave_behind()
        self.file.end = sys.maxsize
        return False

    cdef bint agrees_with(self, Source ahead) except -1:
        """Does what lines said until here equal what the other half began with? (What $TTL gives, no record changes.)"""
        return (
            self.origin[:self.origin_length] == ahead.origin[:ahead.origin_length]
            and self.default_ttl == ahead.default_ttl
            and (self.default_ttl >= 0 or self.last_ttl == ahead.first_ttl)
        )

    cdef int hand_over(self) except -1:
        cdef Source ahead = self.ahead
        self.ahead = None
        self.records.mark_source(self.shown, self.line - 1)
        if self.records.absorb(ahead.records) != OK:
            raise MemoryError
        self.records.mark_source(self.shown)
        ahead.records = self.records
        ahead.line += self.line - 1
        ahead.before += self.done
        ahead.read_on(LINE)
        self.done = ahead.before + ahead.done
        return 0

    cdef int leave_behind(self) except -1:
        self.ahead.cancelled = True
        self.ahead.thread.join()
        self.ahead = None
        return 0

    # --- mistakes

    cdef int add_problem(self, str reason, int line, int column) except -1:
        if self.fixed_line:
            line, column = self.fixed_line, 1
        self.zone.add(Problem(reason, self.shown, line, column))
        return 0

    def report(self) -> None:
        """The fault as a problem, with the word that is wrong."""
        cdef int index = self.fault_token
        reason = FAULT_REASON[self.fault - FIRST_FAULT] if self.fault >= FIRST_FAULT else STATUS_REASON[self.fault]
        if index < 0:
            self.add_problem(reason, self.fault_line, self.fault_column)
        elif index >= self.count:
            self.add_problem(self.too_short(reason), self.end_line, self.end_column)
        else:
            found = f'{self.connective(reason)} "{self.word(index)}"'
            self.add_problem(reason + found, self.tokens[index].line, self.tokens[index].column)

    cdef str connective(self, str reason):
        return ", found" if reason.startswith("expected") else ":"

    cdef str too_short(self, str reason):
        if self.fault == MISSING_FIELD:
            return f"the {rrtypes.to_name(self.rrtype)} record ends where a field is missing"
        return f"{reason}, found the end of the line"

    cdef str word(self, int index):
        """The token for a person, cut and escaped."""
        cdef Token *token = self.tokens + index
        text = token.text[:min(token.size, MAX_SHOWN)].decode("ascii", "backslashreplace")
        return text + "…" if token.size > MAX_SHOWN else text

    cdef int wrong(self, str reason, int index) except -1:
        """A problem at a token, or at the end of the line where it is missing."""
        if index < self.count:
            return self.add_problem(reason, self.tokens[index].line, self.tokens[index].column)
        return self.add_problem(reason, self.end_line, self.end_column)

    # --- what needs Python: directives and rare types

    cdef bytes token(self, int index):
        return self.tokens[index].text[:self.tokens[index].size]

    def follow_directive(self) -> None:
        directive = self.token(0).upper()
        if directive == b"$ORIGIN" and self.has_arguments(1, 1, "a name"):
            self.follow_origin()
        elif directive == b"$TTL" and self.has_arguments(1, 1, "a TTL"):
            self.follow_ttl()
        elif directive == b"$INCLUDE" and self.has_arguments(1, 2, "a file name"):
            self.follow_include()
        elif directive == b"$GENERATE" and self.has_arguments(4, MAX_RDATA, "range, owner, type and data"):
            self.follow_generate()
        elif directive not in (b"$ORIGIN", b"$TTL", b"$INCLUDE", b"$GENERATE"):
            self.wrong(f'expected $ORIGIN, $TTL, $INCLUDE or $GENERATE, found "{self.word(0)}"', 0)

    cdef bint has_arguments(self, int least, int most, str what) except -1:
        if self.count - 1 < least:
            self.wrong(f"expected {what} behind {self.word(0)}", self.count)
            return False
        if self.count - 1 > most:
            self.wrong(f'there is more text than {self.word(0)} takes: "{self.word(most + 1)}"', most + 1)
            return False
        return True

    cdef bytes name_at(self, int index):
        """The name, or None and a problem."""
        try:
            return name.from_text(self.token(index), self.origin[:self.origin_length])
        except TextError as error:
            self.wrong(f'{error.reason}: "{self.word(index)}"', index)
            return None

    cdef int follow_origin(self) except -1:
        origin = self.name_at(1)
        if origin is not None:
            self.set_origin(origin)
        return 0

    cdef int follow_ttl(self) except -1:
        cdef int64_t ttl = 0
        if not ttl_from_text(self.tokens[1].text, self.tokens[1].size, &ttl):
            return self.wrong(f'{FAULT_REASON[BAD_TTL - FIRST_FAULT]}, found "{self.word(1)}"', 1)
        if ttl > MAX_TTL:
            return self.wrong(f'{FAULT_REASON[TTL_TOO_LARGE - FIRST_FAULT]}: "{self.word(1)}"', 1)
        self.default_ttl = ttl
        return 0

    cdef int follow_include(self) except -1:
        origin = self.origin[:self.origin_length] if self.count == 2 else self.name_at(2)
        if origin is None:
            return 0
        try:
            path = self.included_path()
            with open_regular(path) as file:
                self.read_child(Source(self.zone, file, path), origin)
        except OSError as error:
            self.wrong(f'"{self.word(1)}" cannot be included: {error.strerror or error}', 1)
        return 0

    cdef object included_path(self):
        """The included file's path; OSError where it may not be read."""
        if self.zone.root is None:
            raise OSError("there is no folder to include from")
        if self.depth + 1 >= MAX_DEPTH:
            raise OSError(f"files include each other more than {MAX_DEPTH} deep")
        written = os.fsdecode(re.sub(rb"\\(.)", rb"\1", self.token(1)))
        path = self.path.parent / written
        if "\0" in written or not path.resolve().is_relative_to(self.zone.root.resolve()):
            raise OSError("it is not within the zone's folder")
        return path

    cdef int read_child(self, Source child, bytes origin) except -1:
        """Read lines that inherit from these and leave nothing behind but records."""
        child.inherit(self)
        child.set_origin(origin)
        child.depth = self.depth + 1
        child.owner_length = self.owner_length
        memcpy(child.owner, self.owner, 256)
        child.read()
        self.records.mark_source(self.shown)
        return 0

    cdef int follow_generate(self) except -1:
        cdef int rest = read_prefix(self, 3)
        if rest < 0:
            self.report()
            return 0
        try:
            lines = self.generated(rest)
        except ValueError as error:
            return self.wrong(f"{error}", 1)
        child = Source(self.zone, BytesIO(lines), self.path)
        child.fixed_line = self.tokens[0].line
        return self.read_child(child, self.origin[:self.origin_length])

    cdef bytes generated(self, int rest):
        """The lines the directive stands for: owner and data filled in, what stands between as it is."""
        numbers = generate.number_range(self.text(1, 2))
        owner = generate.template(self.text(2, 3))
        quoted = rest == self.count - 1 and self.tokens[rest].quoted  # then it is data of several words, as in BIND
        data = generate.template(self.token(rest).decode("latin-1") if quoted else self.text(rest, self.count))
        between = self.text(3, rest)
        return "".join([f"{owner(number)} {between} {data(number)}\n" for number in numbers]).encode("latin-1")

    cdef str text(self, int start, int end):
        """The tokens as written; those that touch still do."""
        words = []
        cdef int index
        for index in range(start, end):
            if index > start and not touches(self.tokens + index - 1, self.tokens + index):
                words.append(b" ")
            words.append(b'"%s"' % self.token(index) if self.tokens[index].quoted else self.token(index))
        return b"".join(words).decode("latin-1")

    def add_rare(self) -> None:
        cdef bytes rdata
        text = self.text(self.first_field, self.count).encode("latin-1")
        try:
            rdata = rdata_from_text_rare(<uint16_t>self.rrtype, text, self.origin[:self.origin_length])
        except (TextError, WireError) as error:
            self.wrong(f"not valid as {rrtypes.to_name(self.rrtype)} data: {error.reason}", self.first_field)
            return
        cdef int status = add_record(self, <const uint8_t *><const char *>rdata, <int>len(rdata))
        if status == NO_MEMORY:
            raise MemoryError
        if status != OK:
            fault_token(self, status, self.first_field - 1)
            self.report()


def open_regular(path: Path) -> BinaryIO:
    """Never a device or a pipe that blocks, never a link put there meanwhile."""
    fd = os.open(path.resolve(), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError("it is no regular file")
    return os.fdopen(fd, "rb", buffering=0)


# --- lines → records, without the GIL


cdef int read_records(Source source) noexcept nogil:
    """Take records until something needs Python: an Event."""
    cdef int event
    while True:
        event = read_line(source)
        if event != LINE:
            return event
        if source.count == 0:
            continue
        if source.tokens[0].column == 1 and source.tokens[0].text[0] == c"$" and not source.tokens[0].quoted:
            return DIRECTIVE
        event = take_record(source)
        if event != LINE:
            return event


cdef bint find_record(Source source) noexcept nogil:
    """Skip to the first line that could be the start of a record."""
    cdef const uint8_t *at = source.buffer
    cdef const uint8_t *end = source.buffer + source.size
    while at < end:
        at = <const uint8_t *>memchr(at, c"\n", end - at + 1) + 1
        if at < end and CHAR[at[0]] == WORD and at[0] != c"$":
            source.pos = at - source.buffer
            return True
    return False


cdef int read_line(Source source) noexcept nogil:
    """The next logical line → tokens. LINE, or MORE with nothing taken, END, FAULT, OUT_OF_MEMORY."""
    cdef const uint8_t *at = source.buffer + source.pos
    cdef const uint8_t *end = source.buffer + source.size  # a newline stands there
    cdef const uint8_t *line_start = at
    cdef const uint8_t *start
    cdef int line = source.line
    cdef int open_line = 0
    cdef int open_column = 0
    cdef int parens = 0
    cdef uint8_t char
    source.begun = source.pos
    source.begun_line = line
    source.count = 0
    source.blank_start = CHAR[at[0]] == BLANK
    while True:
        char = CHAR[at[0]]
        if char == BLANK:
            at += 1
        elif char <= ESCAPE:
            start = at
            at = word_end(at)
            if not put_token(source, start, at - start, False, line, start - line_start + 1):
                return OUT_OF_MEMORY
        elif char == NEWLINE:
            if at == end and not source.final:
                return MORE
            if parens == 0:
                break
            if at == end:
                return fault_at(source, UNCLOSED_PAREN, open_line, open_column, end)
            at += 1
            line += 1
            line_start = at
        elif char == COMMENT:
            at = <const uint8_t *>memchr(at, c"\n", end - at + 1)
        elif char == OPEN:
            if parens == 0:
                open_line = line
                open_column = <int>(at - line_start) + 1
            parens += 1
            at += 1
        elif char == CLOSE:
            if parens == 0:
                return fault_line(source, STRAY_CLOSE, line, at - line_start + 1, at)
            parens -= 1
            at += 1
        elif char == QUOTE:
            start = at + 1
            at = quote_end(start)
            if at[0] != c'"':
                if at == end and not source.final:
                    return MORE
                return fault_line(source, UNCLOSED_QUOTE, line, start - line_start, at)
            if not put_token(source, start, at - start, True, line, start - line_start):
                return OUT_OF_MEMORY
            at += 1
        elif at[1] == c"\n":  # RETURN
            if at + 1 == end and not source.final:
                return MORE
            at += 1
        else:
            return fault_line(source, STRAY_RETURN, line, at - line_start + 1, at)
    source.end_line = line
    source.end_column = <int>(at - line_start) + 1
    source.line = line + 1
    source.pos = at - source.buffer
    if at < end:
        source.pos += 1
    elif source.count == 0:
        return END
    return LINE


cdef inline const uint8_t *word_end(const uint8_t *at) noexcept nogil:
    while True:
        at = skip_plain(at)
        while CHAR[at[0]] == WORD:
            at += 1
        if CHAR[at[0]] != ESCAPE:
            return at
        at += 1
        if CHAR[at[0]] != NEWLINE and CHAR[at[0]] != RETURN:
            at += 1


cdef inline const uint8_t *quote_end(const uint8_t *at) noexcept nogil:
    """The closing quote, or the newline before it."""
    while at[0] != c'"' and at[0] != c"\n":
        if at[0] == c"\\" and at[1] != c"\n":
            at += 1
        at += 1
    return at


cdef inline bint put_token(Source source, const uint8_t *text, Py_ssize_t size, bint quoted, int line,
                           Py_ssize_t column) noexcept nogil:
    cdef Token *token
    if source.count == source.token_room and not grow_tokens(source):
        return False
    token = source.tokens + source.count
    token.text = <const char *>text
    token.size = size
    token.quoted = quoted
    token.line = line
    token.column = <int>column
    source.count += 1
    return True


cdef bint grow_tokens(Source source) noexcept nogil:
    cdef void *larger = realloc(source.tokens, 2 * <size_t>source.token_room * sizeof(Token))
    if larger == NULL:
        return False
    source.tokens = <Token *>larger
    source.token_room *= 2
    return True


cdef inline bint touches(const Token *one, const Token *other) noexcept nogil:
    """Nothing stands between them but quotes."""
    return one.text + one.size + one.quoted + other.quoted == other.text


cdef int fault_at(Source source, int fault, int line, Py_ssize_t column, const uint8_t *resume) noexcept nogil:
    """A mistake below the level of tokens; resume: where to read on, the start of a line or the end."""
    source.fault = fault
    source.fault_token = -1
    source.fault_line = line
    source.fault_column = <int>column
    source.pos = resume - source.buffer
    return FAULT


cdef int fault_line(Source source, int fault, int line, Py_ssize_t column, const uint8_t *at) noexcept nogil:
    """The same; the rest of the line that holds `at` is skipped."""
    cdef const uint8_t *end = source.buffer + source.size
    cdef const uint8_t *newline = <const uint8_t *>memchr(at, c"\n", end - at + 1)
    if newline == end and not source.final:
        return MORE
    source.line = line + 1
    return fault_at(source, fault, line, column, newline if newline == end else newline + 1)


cdef int fault_token(Source source, int fault, int index) noexcept nogil:
    source.fault = fault
    source.fault_token = index
    return FAULT


cdef int take_record(Source source) noexcept nogil:
    """The tokens as one record. LINE where it stands in the records, else an Event."""
    cdef Writer writer
    cdef int index = 0
    cdef int bad = 0
    cdef int status
    if not source.blank_start:
        index = 1
        if not take_owner(source, source.tokens):
            return FAULT
    elif source.owner_length == 0:
        return fault_token(source, NO_OWNER, 0)
    source.first_field = read_prefix(source, index)
    if source.first_field < 0:
        return FAULT
    writer_init(&writer, source.rdata, MAX_RDATA)
    status = rdata_from_tokens(
        <uint16_t>source.rrtype,
        source.tokens + source.first_field,
        source.count - source.first_field,
        source.origin,
        source.origin_length,
        &writer,
        &bad,
    )
    if status == RARE:
        return RARE_TYPE
    if status != OK:
        return fault_token(source, status, source.first_field + bad)
    status = add_record(source, source.rdata, <int>writer.pos)
    if status == NO_MEMORY:
        return OUT_OF_MEMORY
    return LINE if status == OK else fault_token(source, status, source.first_field - 1)


cdef bint take_owner(Source source, const Token *token) noexcept nogil:
    """The owner of this record and of those that leave theirs blank."""
    if source.owner_text != NULL and token.size == source.owner_text_size and not token.quoted and (
        memcmp(token.text, source.owner_text, token.size) == 0
    ):
        return True
    source.owner_text = NULL
    source.owner_length = -1
    if token.quoted:
        fault_token(source, QUOTED_OWNER, 0)
        return False
    cdef int length = name_from_text(token.text, token.size, source.origin, source.origin_length, source.owner)
    if length < 0:
        fault_token(source, -length, 0)
        return False
    if (not source.origin_within or token.text[token.size - 1] == c".") and not (
        name_within(source.owner, length, source.apex, source.apex_length)
    ):
        fault_token(source, OUT_OF_ZONE, 0)
        return False
    source.owner_length = length
    source.owner_text = token.text
    source.owner_text_size = token.size
    return True


cdef int read_prefix(Source source, int index) noexcept nogil:
    """TTL and class in either order, each once at most, then the type. The index behind them, or -1 and a fault."""
    cdef bint has_class = False
    cdef Token *token
    cdef int rrclass
    source.ttl = -1
    while index < source.count and not source.tokens[index].quoted:
        token = source.tokens + index
        rrclass = -1 if has_class else class_from_text(token.text, token.size)
        if rrclass >= 0 and rrclass != CLASS_IN:
            fault_token(source, OTHER_CLASS, index)
            return -1
        if rrclass == CLASS_IN:
            has_class = True
        elif source.ttl < 0 and c"0" <= token.text[0] <= c"9":
            if not take_ttl(source, index):
                return -1
        else:
            return index + 1 if take_type(source, index) else -1
        index += 1
    fault_token(source, EXPECTED_TYPE, index)
    return -1


cdef bint take_ttl(Source source, int index) noexcept nogil:
    cdef Token *token = source.tokens + index
    if not ttl_from_text(token.text, token.size, &source.ttl):
        fault_token(source, BAD_TTL, index)
        return False
    if source.ttl > MAX_TTL:
        fault_token(source, TTL_TOO_LARGE, index)
        return False
    return True


cdef bint take_type(Source source, int index) noexcept nogil:
    cdef Token *token = source.tokens + index
    source.rrtype = rrtype_from_text(token.text, token.size)
    if source.rrtype < 0:
        fault_token(source, EXPECTED_TYPE, index)
        return False
    if source.rrtype == 0 or source.rrtype == TYPE_OPT or FIRST_QTYPE <= source.rrtype <= LAST_QTYPE:
        fault_token(source, QUESTION_TYPE, index)
        return False
    return True


cdef int add_record(Source source, const uint8_t *rdata, int size) noexcept nogil:
    """OK, NO_MEMORY or NO_TTL. A record whose owner was wrong is left out: that problem is already named."""
    cdef int64_t ttl = source.ttl
    if ttl < 0:
        ttl = source.default_ttl if source.default_ttl >= 0 else source.last_ttl
    if ttl < 0 and source.rrtype == TYPE_SOA and size >= 4:
        ttl = load_u32(rdata + size - 4)
        ttl = ttl if ttl <= MAX_TTL else 0
    if ttl < 0:
        return NO_TTL
    source.last_ttl = ttl
    if source.owner_length < 0:
        return OK
    source.records.line = <uint32_t>(source.fixed_line if source.fixed_line else source.tokens[0].line)
    return source.records.append(
        source.owner, source.owner_length, <uint16_t>source.rrtype, <uint32_t>ttl, rdata, <uint16_t>size
    )


cdef inline bint same_word(const char *text, const char *upper, Py_ssize_t size) noexcept nogil:
    """Equal but for case; upper holds letters only."""
    cdef Py_ssize_t index
    for index in range(size):
        if text[index] & 0xDF != upper[index]:
            return False
    return True


cdef int class_from_text(const char *text, Py_ssize_t size) noexcept nogil:
    """The class's number, or -1 where the text names none."""
    cdef int number = 0
    cdef Py_ssize_t index
    if size == 2:
        if same_word(text, "IN", 2):
            return CLASS_IN
        if same_word(text, "CH", 2):
            return 3
        if same_word(text, "HS", 2):
            return 4
        return 2 if same_word(text, "CS", 2) else -1
    if size < 6 or size > 10 or not same_word(text, "CLASS", 5):
        return -1
    for index in range(5, size):
        if not c"0" <= text[index] <= c"9":
            return -1
        number = number * 10 + text[index] - 48
    return number if number <= 0xFFFF else -1


cdef bint ttl_from_text(const char *text, Py_ssize_t size, int64_t *ttl) noexcept nogil:
    """Seconds, or numbers that each have a unit. False where the text is neither; what is too large stays too large."""
    cdef int64_t total = 0
    cdef int64_t number = -1
    cdef Py_ssize_t index
    cdef uint32_t unit = 0
    cdef uint8_t char
    if size > MAX_TTL_TEXT:
        return False
    for index in range(size):
        char = <uint8_t>text[index]
        if c"0" <= char <= c"9":
            number = char - 48 if number < 0 else number * 10 + char - 48
            if number > MAX_TTL:  # and stays so, whatever follows
                number = <int64_t>MAX_TTL + 1
            continue
        unit = UNIT[char]
        if unit == 0 or number < 0:
            return False
        total += number * unit
        number = -1
    if number >= 0 and unit:  # digits behind the last unit
        return False
    ttl[0] = total if number < 0 else number
    return size > 0
