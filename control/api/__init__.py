# SPDX-License-Identifier: Apache-2.0
"""The HTTP API. A view: parse, one call of central, render."""
