# SPDX-License-Identifier: Apache-2.0
"""The URLs that clients use beside ours: with a slash at the end, without the version in front, and one misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

VERSION = "/v2"
# Where openstacksdk (4.22) asks for exports, and where they are, in Designate too.
MISSPELT, EXPORTS = f"{VERSION}/zones/tasks/export", f"{VERSION}/zones/tasks/exports"


def collections(paths: Iterable[str]) -> frozenset[str]:
    """The first words below /v2, but for those that also stand at the root: zones, recordsets, pools…"""
    words = [path.split("/") for path in paths]
    at_root = {parts[1] for parts in words}
    return frozenset(parts[2] for parts in words if parts[1] == VERSION[1:] and len(parts) > 2) - at_root


class Paths:
    """WSGI: /v2/zones/ is /v2/zones, and so is /zones, which clients without discovery ask for."""

    def __init__(self, app: WSGIApplication, words: frozenset[str]) -> None:
        self.app = app
        self.words = words

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        environ["PATH_INFO"] = self.ours(environ.get("PATH_INFO", ""))
        return self.app(environ, start_response)

    def ours(self, path: str) -> str:
        path = path.rstrip("/") or "/"
        path = VERSION + path if path.split("/")[1] in self.words else path
        return EXPORTS + path.removeprefix(MISSPELT) if f"{path}/".startswith(f"{MISSPELT}/") else path
