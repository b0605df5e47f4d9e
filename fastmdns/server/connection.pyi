# SPDX-License-Identifier: Apache-2.0
"""Nothing here is for Python: connections are made and run by worker.pyx."""
