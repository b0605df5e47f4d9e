# SPDX-License-Identifier: Apache-2.0
"""What may exist: pure checks that give the problems they find. No SQL, no Flask."""
