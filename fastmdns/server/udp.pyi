# SPDX-License-Identifier: Apache-2.0
"""Nothing here is for Python: worker.pyx makes and runs the one UdpServer of its process."""
