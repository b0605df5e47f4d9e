# SPDX-License-Identifier: Apache-2.0
"""Measurements beside NSD, Knot, BIND and PowerDNS: `python -m bench --help`."""
