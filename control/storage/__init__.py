# SPDX-License-Identifier: Apache-2.0
"""What is kept, in SQLite, PostgreSQL or MariaDB. Functions take the open transaction and give model objects."""
