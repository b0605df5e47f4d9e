# SPDX-License-Identifier: Apache-2.0
"""Lists of recordsets: whose they are, filters, order, pages, counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.conftest import Api
from tests.control.test_recordsets import ABSENT, confirm, failure, path_of, share


def names(api: Api, query: str, path: str = "/v2/recordsets") -> list[str]:
    """Name and type of what the list has, without SOA and NS."""
    answer = api.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    found = [f"{one['name']} {one['type']}" for one in answer.get_json()["recordsets"]]
    return [one for one in found if not one.endswith((" SOA", " NS"))]


def zone_named(api: Api, name: str) -> dict[str, Any]:
    soa = api.get(f"/v2/recordsets?type=SOA&name={name}").get_json()["recordsets"][0]
    return {"id": soa["zone_id"], "project_id": soa["project_id"]}


@pytest.fixture
def filled(api_on: Api) -> Api:
    """Two zones with a few recordsets each."""
    org, com = api_on.zone("example.org."), api_on.zone("example.com.")
    api_on.recordset(org, "www.example.org.", "A", "192.0.2.1", "192.0.2.2", ttl=60)
    api_on.recordset(org, "www.example.org.", "AAAA", "2001:db8::1", description="the 100% one")
    api_on.recordset(org, "www.sub.example.org.", "TXT", '"v=spf1 -all"')
    api_on.recordset(org, "*.example.org.", "TYPE65280", "\\# 1 00")
    api_on.recordset(com, "Www.example.com.", "A", "192.0.2.10", ttl=300)
    api_on.recordset(com, "mail_1.example.com.", "A", "198.51.100.1")
    api_on.recordset(com, "empty.example.com.", "A")
    return api_on


ORG_A, ORG_AAAA, ORG_TXT = "www.example.org. A", "www.example.org. AAAA", "www.sub.example.org. TXT"
ORG_WILD, COM_A, COM_MAIL = "*.example.org. TYPE65280", "Www.example.com. A", "mail_1.example.com. A"
COM_EMPTY = "empty.example.com. A"
FILTERS = {
    "": [ORG_A, ORG_AAAA, ORG_TXT, ORG_WILD, COM_A, COM_MAIL, COM_EMPTY],
    "name=www.example.org.": [ORG_A, ORG_AAAA],
    "name=WWW.Example.ORG.": [ORG_A, ORG_AAAA],
    "name=www.example.com.": [COM_A],
    "name=*.example.org.": [ORG_A, ORG_AAAA, ORG_TXT, ORG_WILD],
    "name=*.sub.example.org.": [ORG_TXT],
    "name=www*": [ORG_A, ORG_AAAA, ORG_TXT],
    "name=www.*.org.": [ORG_A, ORG_AAAA, ORG_TXT],
    "name=*w.example.org.": [ORG_A, ORG_AAAA],
    "name=*sub*": [ORG_TXT],
    "name=mail_1*": [COM_MAIL],
    "name=mail%25": [],
    "name=mailx1*": [],
    f"name={ABSENT}": [],
    "name=no..name": [],
    "name=*": [ORG_A, ORG_AAAA, ORG_TXT, ORG_WILD, COM_A, COM_MAIL, COM_EMPTY],
    "type=A": [ORG_A, COM_A, COM_MAIL, COM_EMPTY],
    "type=TYPE65280": [ORG_WILD],
    "type=A*": [ORG_A, ORG_AAAA, COM_A, COM_MAIL, COM_EMPTY],
    "type=NOSUCH": [],
    "ttl=60": [ORG_A],
    "ttl=99999999999999999999": [],
    "data=192.0.2.1": [ORG_A],
    "data=192.0.2.*": [ORG_A, COM_A],
    "data=*.1": [ORG_A, COM_MAIL],
    "data=%22v=spf1%20-all%22": [ORG_TXT],
    "data=v=spf1%20-all": [],
    "data=*SPF1*": [],
    "data=!192.0.2.1": [],
    "data=>192.0.2.1": [],
    "data=BETWEEN%20a,b": [],
    "data=192.0.2.%25": [],
    "description=the%20100%25*": [ORG_AAAA],
    "description=the*": [ORG_AAAA],
    "description=the%20100_*": [],
    "name=www*&type=A&data=192*": [ORG_A],
    "name=a%00b": [],
}


@pytest.mark.parametrize("query", FILTERS)
def test_filter_finds_what_it_says(filled: Api, query: str) -> None:
    assert names(filled, query) == FILTERS[query]
    total = filled.get(f"/v2/recordsets?{query}").get_json()["metadata"]["total_count"]
    assert total == len(filled.get(f"/v2/recordsets?{query}").get_json()["recordsets"])


def test_admin_of_all_finds_the_same(filled: Api) -> None:
    stranger = filled.of("operator").as_admin_of_all
    for query, wanted in FILTERS.items():
        assert names(stranger, query) == wanted, query


def test_list_of_a_zone_takes_the_same_filters(filled: Api) -> None:
    zone = zone_named(filled, "example.org.")
    for query, wanted in FILTERS.items():
        here = [one for one in wanted if ".org." in one]
        assert names(filled, query, path_of(zone)) == here, query


def test_status_is_found_as_it_is_shown(filled: Api) -> None:
    com = zone_named(filled, "example.com.")
    everything = {ORG_A, ORG_AAAA, ORG_TXT, ORG_WILD, COM_A, COM_MAIL, COM_EMPTY}
    assert set(names(filled, "status=PENDING")) == everything - {COM_EMPTY}
    confirm(filled, com)
    assert names(filled, "status=ACTIVE") == [COM_A, COM_MAIL, COM_EMPTY]
    confirm(filled, com, confirmed=0, status="ERROR")
    assert names(filled, "status=ERROR") == [COM_A, COM_MAIL]
    assert names(filled, "status=ACTIVE", path_of(com)) == [COM_EMPTY]
    assert names(filled, "status=nonsense") == []


def test_soa_has_the_status_of_its_zone(api: Api) -> None:
    zone = api.zone()
    confirm(api, zone)
    api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    for path in ("/v2/recordsets", path_of(zone)):
        pending = api.get(f"{path}?status=PENDING").get_json()["recordsets"]
        assert [(one["type"], one["status"]) for one in pending] == [("SOA", "PENDING"), ("A", "PENDING")]


# ------------------------------------------------------------------------------------------------------------- whose


def test_everyone_sees_own_zones_and_what_they_made_in_shared_ones(filled: Api) -> None:
    org = zone_named(filled, "example.org.")
    guest = filled.of("guest")
    assert names(guest, "") == []
    share(filled, org, "guest")
    home = guest.zone("guest.net.")
    for number in range(3):
        guest.recordset(home, f"a{number}.guest.net.", "A", "192.0.2.1")
        guest.recordset(org, f"g{number}.example.org.", "A", "192.0.2.1")
    mine = [
        f"{letter}{number}.{zone} A"
        for number in range(3)
        for letter, zone in (("a", "guest.net."), ("g", "example.org."))
    ]
    assert names(guest, "") == mine
    assert names(guest, "name=g*") == [one for one in mine if one.startswith("g")]
    assert guest.get("/v2/recordsets").get_json()["metadata"]["total_count"] == 8
    assert names(guest, "sort_key=name&sort_dir=desc") == sorted(mine, reverse=True)
    assert [one for page in pages(guest, "/v2/recordsets?limit=2&type=A") for one in page] == mine
    assert ORG_A in names(guest, "", path_of(org))
    assert "g1.example.org. A" in names(filled, "")


def test_recordset_by_its_id_alone_is_a_redirection(api: Api) -> None:
    made = api.recordset(api.zone(), "www.example.org.", "A", "192.0.2.1")
    answer = api.get(f"/v2/recordsets/{made['id']}")
    assert (answer.status_code, answer.headers["Location"]) == (301, made["links"]["self"])


# ------------------------------------------------------------------------------------------------------ order and pages


def pages(api: Api, first: str) -> list[list[str]]:
    found, url = [], first
    while url:
        body = api.get(url.removeprefix("http://localhost")).get_json()
        found.append([f"{one['name']} {one['type']}" for one in body["recordsets"]])
        url = body["links"].get("next", "")
    return found


@pytest.mark.parametrize("key", ["created_at", "id", "updated_at", "zone_id", "tenant_id", "name", "type", "ttl"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages_follow_each_other_in_every_order(filled: Api, key: str, direction: str) -> None:
    whole = pages(filled, f"/v2/recordsets?sort_key={key}&sort_dir={direction}")[0]
    cut = pages(filled, f"/v2/recordsets?sort_key={key}&sort_dir={direction}&limit=4")
    assert [one for page in cut for one in page] == whole
    assert [len(page) for page in cut] == [4, 4, 3]


def test_types_are_sorted_by_name(filled: Api) -> None:
    found = [one["type"] for one in filled.get("/v2/recordsets?sort_key=type").get_json()["recordsets"]]
    assert found == ["A"] * 4 + ["AAAA", "NS", "NS", "SOA", "SOA", "TXT", "TYPE65280"]


def test_counts_can_be_hidden(api: Api) -> None:
    zone = api.zone()
    for path in ("/v2/recordsets", path_of(zone)):
        assert api.get(path).get_json()["metadata"] == {"total_count": 2}
        assert api.get(path, headers={"OpenStack-DNS-Hide-Counts": "true"}).get_json()["metadata"] == {}


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("nosuch=1", "bad_request", "Invalid filters nosuch"),
        ("name=a.&name=b.", "bad_request", "Duplicate filters name"),
        ("ttl=x", "bad_request", "Invalid value for filter ttl: 'x' is no number"),
        ("limit=0", "invalid_limit", "limit must be a whole number from 1, or max; got '0'"),
        ("sort_key=records", "invalid_sort_key", None),
        ("sort_dir=up", "invalid_sort_dir", "sort direction must be 'asc' or 'desc', got 'up'"),
        ("marker=x", "invalid_marker", "marker must be an id, got 'x'"),
        (f"marker={ABSENT}", "marker_not_found", f"Marker {ABSENT} could not be found"),
    ],
)
def test_wrong_query_is_refused(api: Api, query: str, code: str, message: str | None) -> None:
    for path in ("/v2/recordsets", path_of(api.zone(f"{abs(hash(query))}.org."))):
        body = failure(api.get(f"{path}?{query}"))
        assert (body["code"], body["type"]) == (400, code)
        assert message is None or body["message"] == message
