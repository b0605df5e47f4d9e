# SPDX-License-Identifier: Apache-2.0
"""Which floating IPs a project has: asked of a driver, because we don't own them.

A driver answers for the caller, with his own token, and for every region it knows; a region that does not answer is an
error and never an empty one, since what a project has lost loses its PTR record.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from control.config import ControlConfig
from control.context import Context
from control.errors import Refused, Unavailable
from control.names import key_of

IPV4_ZONE_LABELS, IPV6_ZONE_LABELS = 1, 16  # what lies below a reverse zone of a /24 and of a /64


@dataclass(frozen=True, slots=True)
class FloatingIp:
    region: str
    id: str
    address: str

    @property
    def pointer(self) -> str:
        """The name of its PTR record (RFC 1035 §3.5, RFC 3596 §2.5)."""
        return ipaddress.ip_address(self.address).reverse_pointer + "."

    @property
    def zone(self) -> str:
        """The reverse zone that is made for it where none is there.

        A /24 as Designate's, and for IPv6 the /64 of its subnet (RFC 4291 §2.5.4): the largest that surely is one
        network's, and on a nibble's boundary.
        """
        below = IPV4_ZONE_LABELS if ipaddress.ip_address(self.address).version == 4 else IPV6_ZONE_LABELS
        return self.pointer.split(".", below)[below]

    @property
    def key(self) -> bytes:
        return key_of(self.pointer)


class Driver(Protocol):
    def of_caller(self, ctx: Context) -> Mapping[str, Sequence[FloatingIp]]:
        """Region → the floating IPs that the caller's project has there."""


class Static:
    """From a file: [[floatingip]] tables with id, address, project_id and region."""

    def __init__(self, config: ControlConfig) -> None:
        self.file, self.region = config.floatingip_file, config.region

    def of_caller(self, ctx: Context) -> Mapping[str, Sequence[FloatingIp]]:
        entries = _entries(self.file)
        found: dict[str, list[FloatingIp]] = {entry.get("region", self.region): [] for entry in entries}
        for entry in entries:
            if entry["project_id"] == ctx.project_id:
                region = entry.get("region", self.region)
                found[region].append(FloatingIp(region, entry["id"], entry["address"]))
        return found


def _entries(file: Path | None) -> list[dict[str, Any]]:
    try:
        if file is None:
            raise ValueError("the setting is empty")
        return list(tomllib.loads(file.read_text("utf-8")).get("floatingip", []))
    except (OSError, ValueError) as error:
        raise Unavailable("configuration_error", f"floatingip_file can't be read: {error}") from error


class Neutron:
    """From the Neutron of each region in the caller's catalog."""

    def __init__(self, config: ControlConfig) -> None:
        self.seconds = config.floatingip_seconds

    def of_caller(self, ctx: Context) -> Mapping[str, Sequence[FloatingIp]]:
        endpoints = network_endpoints(ctx.catalog)
        if not endpoints or ctx.token is None:
            raise Refused("no_endpoint", "the catalog of your token names no network service")
        return {region: self._of_region(ctx, region, url) for region, url in endpoints.items()}

    def _of_region(self, ctx: Context, region: str, url: str) -> list[FloatingIp]:
        # Only who has this driver has the library; and it is slow to import.
        from keystoneauth1 import exceptions, session, token_endpoint

        client = session.Session(auth=token_endpoint.Token(url, ctx.token), timeout=self.seconds)
        base = url.rstrip("/").removesuffix("/v2.0")
        page: str | None = f"{base}/v2.0/floatingips?project_id={ctx.project_id}"
        found: list[FloatingIp] = []
        try:
            while page:
                body = client.get(page).json()
                found += (FloatingIp(region, one["id"], one["floating_ip_address"]) for one in body["floatingips"])
                links = body.get("floatingips_links", [])
                page = next((link["href"] for link in links if link["rel"] == "next"), None)
        except (exceptions.ClientException, ValueError, KeyError) as error:
            raise Unavailable("neutron_communication_failure", f"Neutron of {region} does not answer") from error
        return found


def network_endpoints(catalog: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Region → the public URL of its network service, in catalogs of Keystone's v3 and v2 shapes."""
    found: dict[str, str] = {}
    for service in catalog:
        for endpoint in service.get("endpoints", ()) if service.get("type") == "network" else ():
            if endpoint.get("interface", "public") == "public":
                region = endpoint.get("region_id") or endpoint.get("region")
                found[region] = endpoint.get("url") or endpoint["publicURL"]
    return found


DRIVERS: Mapping[str, Callable[[ControlConfig], Driver]] = {"static": Static, "neutron": Neutron}


def driver(config: ControlConfig) -> Driver:
    if config.floatingip_driver not in DRIVERS:
        raise Refused("no_endpoint", "no service of floating IPs is configured (floatingip_driver)")
    return DRIVERS[config.floatingip_driver](config)
