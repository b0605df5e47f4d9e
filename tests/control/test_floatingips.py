# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from control.config import ControlConfig
from control.context import Context
from control.errors import Refused, Unavailable
from control.floatingips import FloatingIp, Neutron, network_endpoints
from control.storage.database import Database
from tests.control.conftest import Api, body_of, make_api

ALL = "/v2/reverse/floatingips"
IDS = [f"c5742ac0-0000-4000-8000-00000000000{at}" for at in range(3)]
ADDRESSES = ["198.51.100.4", "198.51.100.5", "2001:db8:1:2::25"]
SERVICE = ControlConfig().managed_resource_project_id


def path_of(at: int) -> str:
    return f"{ALL}/RegionOne:{IDS[at]}"


def give(file: Path, *owners: str) -> None:
    """Writes down who has which floating IP."""
    blocks = [
        f'[[floatingip]]\nid = "{IDS[at]}"\naddress = "{ADDRESSES[at]}"\nproject_id = "{owner}"\n'
        for at, owner in enumerate(owners)
    ]
    file.write_text("".join(blocks))


@pytest.fixture
def ips(tmp_path: Path) -> Path:
    file = tmp_path / "floatingips.toml"
    give(file, "project-1", "other", "project-1")
    return file


@pytest.fixture
def api_of(db: Database, ips: Path) -> Api:
    return make_api(db, floatingip_driver="static", floatingip_file=ips)


@pytest.fixture
def one(sqlite: Database, ips: Path) -> Api:
    return make_api(sqlite, floatingip_driver="static", floatingip_file=ips)


def records(api: Api) -> dict[str, list[str]]:
    """Name → PTR records, in all zones of the service's project."""
    found = api.of(SERVICE).get("/v2/recordsets?type=PTR").get_json()["recordsets"]
    return {rrset["name"]: rrset["records"] for rrset in found}


def test_ptr_record_is_set_shown_changed_and_unset(api_of: Api) -> None:
    bare = api_of.get(path_of(0)).get_json()
    assert bare == {
        "id": f"RegionOne:{IDS[0]}",
        "address": "198.51.100.4",
        "ptrdname": None,
        "description": None,
        "ttl": None,
        "action": "NONE",
        "status": "INACTIVE",
        "links": {"self": f"http://localhost{path_of(0)}"},
    }
    values = {"ptrdname": "smtp.example.com.", "ttl": 600, "description": "mail"}
    answer = api_of.patch(path_of(0), values)
    assert (answer.status_code, answer.get_json()) == (202, {**bare, **values, "action": "CREATE", "status": "PENDING"})
    assert api_of.get(path_of(0)).get_json() == answer.get_json()
    assert records(api_of) == {"4.100.51.198.in-addr.arpa.": ["smtp.example.com."]}
    changed = api_of.patch(path_of(0), {"ptrdname": "mx.example.com."}).get_json()
    assert changed == {**bare, "ptrdname": "mx.example.com.", "action": "UPDATE", "status": "PENDING"}
    gone = api_of.patch(path_of(0), {"ptrdname": None})
    assert (gone.status_code, gone.get_json()) == (202, bare)
    assert api_of.get(path_of(0)).get_json() == bare
    assert records(api_of) == {}


def test_reverse_zones_are_made_once_for_the_service_s_project(api_of: Api) -> None:
    for at in (0, 2):
        api_of.patch(path_of(at), {"ptrdname": "a.example.com."})
    api_of.of("other").patch(path_of(1), {"ptrdname": "b.example.com."})
    zones = api_of.of(SERVICE).get("/v2/zones?sort_key=name").get_json()["zones"]
    names = ["100.51.198.in-addr.arpa.", "2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."]
    assert [zone["name"] for zone in zones] == names
    assert {zone["email"] for zone in zones} == {"hostmaster@example.com"}
    pointer = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
    assert records(api_of)[pointer] == ["a.example.com."]


def test_larger_reverse_zone_of_the_service_is_used_where_there_is_one(one: Api) -> None:
    one.of(SERVICE).zone("51.198.in-addr.arpa.")
    one.patch(path_of(0), {"ptrdname": "a.example.com."})
    assert [zone["name"] for zone in one.of(SERVICE).get("/v2/zones").get_json()["zones"]] == ["51.198.in-addr.arpa."]


def test_project_lists_its_own_floating_ips_and_sees_no_others(one: Api) -> None:
    one.patch(path_of(2), {"ptrdname": "a.example.com."})
    found = one.get(ALL).get_json()
    assert [(ip["address"], ip["ptrdname"]) for ip in found["floatingips"]] == [
        (ADDRESSES[0], None),
        (ADDRESSES[2], "a.example.com."),
    ]
    assert found["links"] == {"self": f"http://localhost{ALL}"}
    for answer in (one.get(path_of(1)), one.patch(path_of(1), {"ptrdname": "a.example.com."})):
        assert body_of(answer) == {"code": 404, "type": "not_found", "message": "Could not find FloatingIP"}


@pytest.mark.parametrize("now", [["other"], []], ids=["another's", "nobody's"])
def test_record_of_a_floating_ip_that_was_given_away_is_removed(one: Api, ips: Path, now: list[str]) -> None:
    one.patch(path_of(0), {"ptrdname": "a.example.com."})
    give(ips, *now, *([] if now else ["nobody"]))
    one.get(ALL)
    assert records(one) == {}


def test_new_owner_of_a_floating_ip_sees_no_record_and_sets_his_own(one: Api, ips: Path) -> None:
    one.patch(path_of(0), {"ptrdname": "a.example.com."})
    give(ips, "other")
    assert one.of("other").patch(path_of(0), {"ptrdname": "b.example.com."}).status_code == 202
    assert one.of("other").get(path_of(0)).get_json()["ptrdname"] == "b.example.com."
    assert one.get(ALL).get_json()["floatingips"] == []
    assert records(one) == {"4.100.51.198.in-addr.arpa.": ["b.example.com."]}


def test_the_same_again_is_no_change(one: Api) -> None:
    values = {"ptrdname": "a.example.com.", "ttl": 60}
    one.patch(path_of(0), values)
    before = one.of(SERVICE).get("/v2/zones").get_json()
    one.patch(path_of(0), values)
    assert one.of(SERVICE).get("/v2/zones").get_json() == before


def test_rehearsal_sets_nothing_and_unsets_nothing(one: Api) -> None:
    assert one.patch(path_of(0) + "?dry_run=true", {"ptrdname": "a.example.com."}).status_code == 202
    assert one.get(path_of(0)).get_json()["ptrdname"] is None
    one.patch(path_of(0), {"ptrdname": "a.example.com."})
    assert one.patch(path_of(0) + "?dry_run=true", {}).get_json()["ptrdname"] is None
    assert one.get(path_of(0)).get_json()["ptrdname"] == "a.example.com."


def test_tenants_can_t_change_the_record_as_a_recordset(one: Api) -> None:
    one.patch(path_of(0), {"ptrdname": "a.example.com."})
    (rrset,) = one.of(SERVICE).get("/v2/recordsets?type=PTR").get_json()["recordsets"]
    answer = one.of(SERVICE).put(rrset["links"]["self"], {"records": ["evil.example.com."]})
    assert body_of(answer)["type"] == "bad_request"


def test_what_is_wrong_with_the_record_is_told(one: Api) -> None:
    answer = one.patch(path_of(0), {"ptrdname": "no dot", "ttl": -1})
    assert [problem["path"] for problem in body_of(answer)["errors"]["errors"]] == [["ttl"]]
    (problem,) = body_of(one.patch(path_of(0), {"ptrdname": "nodot"}))["errors"]["errors"]
    assert (problem["path"], problem["validator"]) == (["ptrdname"], "format")
    answer = one.get(f"{ALL}/RegionOne")
    assert body_of(answer) == {"code": 400, "type": "bad_request", "message": "'RegionOne' is not REGION:ID"}


def test_readers_set_nothing(one: Api) -> None:
    answer = one.of("project-1", "reader").patch(path_of(0), {"ptrdname": "a.example.com."})
    assert body_of(answer) == {"code": 403, "type": "forbidden", "message": "policy default does not allow this"}


def test_without_a_driver_there_is_no_endpoint(api: Api) -> None:
    message = "no service of floating IPs is configured (floatingip_driver)"
    assert body_of(api.get(ALL)) == {"code": 403, "type": "no_endpoint", "message": message}


# ------------------------------------------------------------------------------------------------------------ Neutron


class Handler(BaseHTTPRequestHandler):
    """Two pages of floating IPs, for who has the token."""

    def do_GET(self) -> None:
        allowed = self.headers["X-Auth-Token"] == "t0ken"
        first = {"floatingips": [self.ip(0)], "floatingips_links": [{"rel": "next", "href": f"{self.base}&marker=x"}]}
        body = first if "marker" not in self.path else {"floatingips": [self.ip(2)]}
        self.send_response(200 if allowed and self.path.startswith("/v2.0/floatingips?project_id=p1") else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    @property
    def base(self) -> str:
        return f"http://{self.headers['Host']}/v2.0/floatingips?project_id=p1"

    def ip(self, at: int) -> dict[str, Any]:
        return {"id": IDS[at], "floating_ip_address": ADDRESSES[at], "project_id": "p1", "status": "ACTIVE"}

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what went wrong."""


@contextmanager
def neutron() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def caller(url: str, token: str = "t0ken") -> Context:
    endpoint = {"interface": "public", "region_id": "RegionOne", "url": url}
    return Context("req-1", project_id="p1", token=token, catalog=({"type": "network", "endpoints": [endpoint]},))


def test_neutron_is_asked_with_the_caller_s_token_page_by_page() -> None:
    with neutron() as url:
        found = Neutron(ControlConfig()).of_caller(caller(url))
    assert found == {"RegionOne": [FloatingIp("RegionOne", IDS[at], ADDRESSES[at]) for at in (0, 2)]}


def test_neutron_that_refuses_or_is_away_is_a_failure_to_communicate() -> None:
    with neutron() as url, pytest.raises(Unavailable, match="Neutron of RegionOne does not answer") as refused:
        Neutron(ControlConfig()).of_caller(caller(url, "wrong"))
    assert refused.value.code == "neutron_communication_failure"
    with pytest.raises(Unavailable, match="Neutron of RegionOne does not answer"):
        Neutron(ControlConfig()).of_caller(caller("http://127.0.0.1:1"))


def test_catalog_without_a_network_service_is_no_endpoint() -> None:
    with pytest.raises(Refused, match="names no network service") as refused:
        Neutron(ControlConfig()).of_caller(Context("req-1", project_id="p1", token="t"))
    assert refused.value.code == "no_endpoint"


def test_catalogs_of_both_shapes_are_read() -> None:
    old = {"type": "network", "endpoints": [{"region": "R", "publicURL": "http://n", "adminURL": "http://a"}]}
    new = {"interface": "public", "region_id": "R", "region": "R", "url": "http://n"}
    inside = {"interface": "internal", "region_id": "R", "url": "http://i"}
    assert network_endpoints([old]) == {"R": "http://n"}
    services = [{"type": "dns", "endpoints": [inside]}, {"type": "network", "endpoints": [new, inside]}]
    assert network_endpoints(services) == {"R": "http://n"}
