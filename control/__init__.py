# SPDX-License-Identifier: Apache-2.0
"""The control plane: tenants manage zones over the DNS v2 API, name servers learn of it through mdns."""
