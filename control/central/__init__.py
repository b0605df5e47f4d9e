# SPDX-License-Identifier: Apache-2.0
"""What the API may ask for: each function checks, begins, does and finishes one thing in one transaction."""
