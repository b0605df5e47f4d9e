# SPDX-License-Identifier: Apache-2.0
"""Which recordsets may be where."""

from __future__ import annotations

from typing import Any

import pytest

from control.rules.placement import content_problems, name_problems, read_records, read_type
from fastmdns import rrtypes
from tests.control.conftest import Api, make_api
from tests.control.test_recordsets import failure, path_of

GOOD_NAMES = [
    "www.example.org.",
    "*.example.org.",
    "_sip._tcp.example.org.",
    "0/25.2.0.192.in-addr.arpa.",
    "a\\.b.example.org.",
    "a\\032b.example.org.",
    "xn--mnchen-3ya.example.org.",
    "a" * 63 + ".example.org.",
]
BAD_NAMES = {
    "www.example.org": "it must end with a dot",
    "": None,
    "a..example.org.": "a label is empty",
    "x.*.example.org.": "a * stands alone, as the leftmost label",
    "*x.example.org.": "a * stands alone, as the leftmost label",
    "a b.example.org.": "'a b' is no label: letters, digits, -, _ and / stand as they are, others are escaped",
    "münchen.example.org.": "'münchen' is no label: letters, digits, -, _ and / stand as they are, others are escaped",
    "-a.example.org.": "the label '-a' begins or ends with a hyphen",
    "a-.example.org.": "the label 'a-' begins or ends with a hyphen",
    "a" * 64 + ".example.org.": "a label is empty or longer than 63 octets",
    "a\\999.example.org.": None,
}


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_name_is_taken(name: str) -> None:
    assert name_problems(name) == []


@pytest.mark.parametrize("name", BAD_NAMES)
def test_name_is_refused_with_its_reason(name: str) -> None:
    problems = name_problems(name)
    assert problems
    if BAD_NAMES[name]:
        assert [problem.message for problem in problems] == [f"{name!r} is no name of a recordset: {BAD_NAMES[name]}"]


def test_name_that_is_too_long_has_its_own_code(api: Api) -> None:
    name = ("a" * 62 + ".") * 4 + "example.org."
    body = failure(api.post(path_of(api.zone()), {"name": name, "type": "A"}))
    assert (body["code"], body["type"]) == (400, "invalid_recordset_name")
    assert body["message"] == "Name too long: 264 characters, 255 are allowed"


@pytest.mark.parametrize("rrtype", ["A", "DS", "DNAME", "URI", "OPENPGPKEY", "TYPE65280", "LOC", "SVCB"])
def test_every_type_that_is_data_is_supported(rrtype: str) -> None:
    assert read_type(rrtype, ()) == (rrtypes.by_name(rrtype), [])


def test_supported_types_can_be_limited() -> None:
    number, problems = read_type("TXT", ("A", "AAAA"))
    assert number == 0
    assert [(problem.path, problem.validator_value) for problem in problems] == [(("type",), ["A", "AAAA"])]


# ------------------------------------------------------------------------------------------------- beside each other


def refusal(api: Api, zone: dict[str, Any], name: str, rrtype: str, *records: str) -> tuple[str, str]:
    body = failure(api.post(path_of(zone), {"name": name, "type": rrtype, "records": list(records)}))
    assert body["code"] == 400
    return body["type"], body["message"]


def test_name_outside_the_zone_is_refused(api: Api) -> None:
    assert refusal(api, api.zone(), "www.example.com.", "A", "192.0.2.1") == (
        "invalid_recordset_location",
        "www.example.com. is not within the zone",
    )


def test_location_error_has_its_whole_body(api: Api) -> None:
    answer = api.post(path_of(api.zone()), {"name": "notexample.org.", "type": "A", "records": ["192.0.2.1"]})
    message = "notexample.org. is not within the zone"
    problem = {"path": ["name"], "message": message, "validator": "location", "validator_value": None}
    assert failure(answer) == {
        "code": 400,
        "type": "invalid_recordset_location",
        "message": message,
        "errors": {"errors": [problem]},
    }


def test_cname_is_alone_whoever_comes_first(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    api_on.recordset(zone, "c.example.org.", "CNAME", "a.example.org.")
    assert refusal(api_on, zone, "A.example.org.", "CNAME", "x.") == (
        "invalid_recordset_location",
        "a CNAME can't be beside other records: A.example.org. has A",
    )
    assert refusal(api_on, zone, "c.example.org.", "TXT", "x") == (
        "invalid_recordset_location",
        "nothing can be beside a CNAME, and c.example.org. has one",
    )


def test_cname_has_one_record_and_no_place_at_the_apex(api: Api) -> None:
    zone = api.zone()
    assert refusal(api, zone, "c.example.org.", "CNAME", "x.", "y.") == (
        "bad_request",
        "a CNAME recordset has one record at most",
    )
    kind, message = refusal(api, zone, "example.org.", "CNAME", "x.")
    assert kind == "invalid_recordset_location"
    assert "a CNAME can't be at the zone's apex" in message


def test_cname_does_not_grow_to_two_by_an_update(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "c.example.org.", "CNAME", "x.")
    assert failure(api.put(path_of(zone, made), {"records": ["x.", "y."]}))["type"] == "bad_request"
    assert failure(api.post(path_of(zone, made) + "/records", {"records": ["y."]}))["type"] == "bad_request"


def test_nothing_is_below_a_dname_whoever_comes_first(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.recordset(zone, "d.example.org.", "DNAME", "example.net.")
    api_on.recordset(zone, "x.y.example.org.", "A", "192.0.2.1")
    api_on.recordset(zone, "d.example.org.", "TXT", "beside-is-fine")
    assert refusal(api_on, zone, "x.d.example.org.", "A", "192.0.2.1")[1] == (
        "nothing can be below a DNAME, and there is one above x.d.example.org."
    )
    assert refusal(api_on, zone, "y.example.org.", "DNAME", "example.net.")[1] == (
        "a DNAME can't have names below it, and y.example.org. has"
    )


def test_dname_is_not_beside_a_delegation(api: Api) -> None:
    zone = api.zone()
    api.recordset(zone, "sub.example.org.", "NS", "ns1.example.net.")
    assert refusal(api, zone, "sub.example.org.", "DNAME", "example.net.")[1] == (
        "NS and DNAME can't both be at sub.example.org., which is not the zone's apex"
    )


def test_child_zone_has_its_own_records_and_the_parent_the_delegation(api_on: Api) -> None:
    parent = api_on.zone("example.org.")
    api_on.zone("sub.example.org.")
    for name in ("sub.example.org.", "www.sub.example.org."):
        assert refusal(api_on, parent, name, "A", "192.0.2.1") == (
            "invalid_recordset_location",
            f"{name} belongs in a child zone",
        )
    assert refusal(api_on, parent, "x.sub.example.org.", "NS", "ns1.example.net.")[0] == "invalid_recordset_location"
    api_on.recordset(parent, "sub.example.org.", "NS", "ns1.example.net.")
    api_on.recordset(parent, "sub.example.org.", "DS", "1 8 1 " + "00" * 20)
    api_on.recordset(parent, "notsub.example.org.", "A", "192.0.2.1")


def test_ds_of_a_zone_is_its_parents(api: Api) -> None:
    assert refusal(api, api.zone(), "example.org.", "DS", "1 8 1 " + "00" * 20)[1] == (
        "the DS records of a zone belong in its parent"
    )


# ------------------------------------------------------------------------------------------------ what types ask for


@pytest.mark.parametrize(
    ("name", "rrtype", "good"),
    [
        ("_sip._tcp.example.org.", "SRV", True),
        ("sip.example.org.", "SRV", False),
        ("_sip.example.org.", "SRV", False),
        ("_443._tcp.www.example.org.", "TLSA", True),
        ("*._tcp.www.example.org.", "TLSA", True),
        ("_65536._tcp.example.org.", "TLSA", False),
        ("_443.example.org.", "TLSA", False),
        ("www.example.org.", "TLSA", False),
        ("*.example.org.", "NS", False),
        ("*.example.org.", "MX", True),
    ],
)
def test_type_asks_for_its_names(name: str, rrtype: str, good: bool) -> None:
    assert (not list(content_problems(name, rrtypes.by_name(rrtype), ()))) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("1 dns.example.org.", False),
        ("1 dns.example.org. alpn=dot", True),
        ("1 dns.example.org. alpn=h2", False),
        ("1 dns.example.org. alpn=h2 dohpath=/q{?dns}", True),
        ("0 other.example.org.", True),
    ],
)
def test_resolver_says_how_it_is_reached(text: str, good: bool) -> None:
    svcb = rrtypes.by_name("SVCB")
    records, problems = read_records(svcb, [text])
    assert not problems
    assert (not list(content_problems("_dns.example.org.", svcb, records))) is good
    assert not list(content_problems("www.example.org.", svcb, records))


# --------------------------------------------------------------------------------------------------- TTLs and quotas


def test_ttl_below_the_least_is_for_those_who_may(api: Api) -> None:
    low = make_api(api.core.db, min_ttl=60)
    zone = low.zone(ttl=60)
    body = {"name": "www.example.org.", "type": "A", "records": ["192.0.2.1"], "ttl": 59}
    message = "a TTL of 59 is below the least allowed, 60"
    problem = {"path": ["ttl"], "message": message, "validator": "minimum", "validator_value": 60}
    assert failure(low.post(path_of(zone), body)) == {
        "code": 400,
        "type": "invalid_ttl",
        "message": message,
        "errors": {"errors": [problem]},
    }
    assert low.as_admin.post(path_of(zone), body).status_code == 202


@pytest.mark.parametrize(
    ("settings", "resource"),
    [
        ({"quota_zone_recordsets": 3}, "zone_recordsets"),
        ({"quota_zone_records": 2}, "zone_records"),
        ({"quota_recordset_records": 1}, "recordset_records"),
    ],
)
def test_quota_is_kept_and_names_what_is_full(api: Api, settings: dict[str, int], resource: str) -> None:
    small = make_api(api.core.db, **settings)
    zone = small.zone()
    small.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    body = {"name": "b.example.org.", "type": "A", "records": ["192.0.2.1", "192.0.2.2"]}
    wanted = {"code": 413, "type": "over_quota", "message": f"Quota exceeded for {resource}."}
    assert failure(small.post(path_of(zone), body)) == wanted
    assert small.get(path_of(zone)).get_json()["metadata"]["total_count"] == 3


def test_who_is_over_a_lowered_quota_may_still_clean_up(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "a.example.org.", "A", "192.0.2.1", "192.0.2.2", "192.0.2.3")
    small = make_api(api.core.db, quota_zone_recordsets=1, quota_zone_records=1, quota_recordset_records=1)
    assert small.put(path_of(zone, made), {"records": ["192.0.2.1", "192.0.2.9"]}).status_code == 202
    assert small.delete(path_of(zone, made)).status_code == 202
