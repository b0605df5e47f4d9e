# SPDX-License-Identifier: Apache-2.0
"""`python -m fastmdns` is the command `fastmdns`."""

from fastmdns.cli import main

main()
