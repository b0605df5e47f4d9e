# SPDX-License-Identifier: Apache-2.0
"""Rdata to presentation text."""

from libc.stdint cimport uint8_t, uint16_t
from fastmdns.wire cimport Writer

# Canonical presentation, absolute names → out, appended. OK, OVERFLOW where it does not fit, RARE where only
# rdata.to_text() can, or why the rdata is not valid.
cdef int rdata_to_text(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Writer *out) noexcept nogil
