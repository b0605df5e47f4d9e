# SPDX-License-Identifier: Apache-2.0
"""Fuzzing: `tests/fuzz/run.py --seconds 60`, or `make fuzz`."""
