# SPDX-License-Identifier: Apache-2.0
"""Rdata as octets, for other extensions only: Python calls rdata.check() and rdata.unpack()."""
