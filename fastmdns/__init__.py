# SPDX-License-Identifier: Apache-2.0
"""mdns: a hidden primary that serves zone transfers from images rendered when a zone changes.

This package is a product of its own and imports nothing of the control plane.
"""

__version__ = "0.1.0"
