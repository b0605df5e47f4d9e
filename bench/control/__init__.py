# SPDX-License-Identifier: Apache-2.0
"""`python -m bench api`: the control plane's API measured beside PowerDNS' API, on the same database engines."""
