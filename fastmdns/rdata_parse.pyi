# SPDX-License-Identifier: Apache-2.0
"""Rdata from presentation text, for other extensions only: Python calls rdata.from_text()."""
