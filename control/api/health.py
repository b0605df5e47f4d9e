# SPDX-License-Identifier: Apache-2.0
"""/healthcheck: may a load balancer send requests here?"""

from __future__ import annotations

from control.api.call import Call
from control.api.operations import TEXT, Reply, operation
from control.errors import Unavailable

PLAIN = "text/plain; charset=utf-8"


@operation("GET", "/healthcheck", answers={200: TEXT, 503: TEXT}, public=True, text_type="text/plain")
def healthcheck(call: Call) -> Reply:
    """OK, or with 503 why not: the database does not answer, or an operator took this server out."""
    if call.core.config.healthcheck_disable_file.exists():
        return Reply("DISABLED BY FILE", 503, content_type=PLAIN)
    try:
        call.core.db.ping()
    except Unavailable as error:
        return Reply(f"UNAVAILABLE: {error.message}", 503, content_type=PLAIN)
    return Reply("OK", content_type=PLAIN)
