# SPDX-License-Identifier: Apache-2.0
"""The version document, which clients read before anything else."""

from __future__ import annotations

from control.api.call import Call
from control.api.operations import Reply, operation
from control.api.schemas.base import Answer

# (id, updated); the last one is CURRENT. Minor versions only add.
VERSIONS = (
    ("v2", "2022-06-29T00:00:00Z"),
    ("v2.0", "2022-06-29T00:00:00Z"),
    ("v2.1", "2023-01-25T00:00:00Z"),
    ("v2.2", "2025-08-25T00:00:00Z"),
    ("v2.3", "2026-04-06T00:00:00Z"),
    ("v2.4", "2026-04-13T00:00:00Z"),
)
HELP = "https://docs.openstack.org/api-ref/dns"


class VersionLink(Answer):
    href: str
    rel: str


class Version(Answer):
    id: str
    status: str
    updated: str
    links: list[VersionLink]


class Versions(Answer):
    versions: list[Version]


@operation("GET", "/", answers={200: Versions}, public=True)
def list_versions(call: Call) -> Reply:
    """The versions of the API."""
    return _document(call)


@operation("GET", "/v2", answers={200: Versions}, public=True)
def list_versions_of_v2(call: Call) -> Reply:
    """The same document, for clients whose endpoint is /v2."""
    return _document(call)


def _document(call: Call) -> Reply:
    links = [{"href": call.url("/v2"), "rel": "self"}, {"href": HELP, "rel": "help"}]
    versions = [
        {
            "id": name,
            "status": "CURRENT" if name == VERSIONS[-1][0] else "SUPPORTED",
            "updated": updated,
            "links": links,
        }
        for name, updated in VERSIONS
    ]
    return Reply({"versions": versions})
