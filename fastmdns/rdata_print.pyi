# SPDX-License-Identifier: Apache-2.0
"""Rdata to presentation text, for other extensions only: Python calls rdata.to_text()."""
