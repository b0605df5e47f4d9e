# SPDX-License-Identifier: Apache-2.0
"""The control plane: zones and records in a database, and the API of OpenStack Designate in front of it."""
