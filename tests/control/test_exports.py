# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from typing import Any

import pytest

from control import jobs
from control.storage import zones
from control.storage.ids import utcnow
from tests.control.conftest import Api, make_api


def filled(api: Api) -> dict[str, Any]:
    zone = api.zone("example.org.", ttl=600)
    api.recordset(zone, "www.example.org.", "A", "192.0.2.2", "192.0.2.1")
    api.recordset(zone, "b.example.org.", "TXT", "word", ttl=0)
    api.recordset(zone, "WWW.example.org.", "MX", "10 mail.example.org.", ttl=60)
    return zone


EXPECTED = """\
$ORIGIN example.org.
$TTL 600

example.org. 600 IN SOA ns1.example.net. joe.example.org. SERIAL REFRESH 600 86400 3600
example.org. 600 IN NS ns1.example.net.
example.org. 600 IN NS ns2.example.net.
b.example.org. 0 IN TXT "word"
www.example.org. 600 IN A 192.0.2.2
www.example.org. 600 IN A 192.0.2.1
WWW.example.org. 60 IN MX 10 mail.example.org.
"""


def refused_body(answer: Any) -> dict[str, Any]:
    body = answer.get_json()
    assert answer.status_code == body["code"]
    del body["request_id"]
    return body


def test_an_export_can_be_fetched_at_once(api_on: Api) -> None:
    zone = filled(api_on)
    answer = api_on.post(f"/v2/zones/{zone['id']}/tasks/export")
    made = answer.get_json()
    url = f"http://localhost/v2/zones/tasks/exports/{made['id']}"
    assert (answer.status_code, answer.headers["Location"]) == (202, url)
    assert made == {
        "id": made["id"],
        "status": "COMPLETE",
        "message": None,
        "location": f"designate://v2/zones/tasks/exports/{made['id']}/export",
        "zone_id": zone["id"],
        "project_id": "project-1",
        "created_at": made["created_at"],
        "updated_at": None,
        "version": 1,
        "links": {"self": url, "export": f"{url}/export"},
    }
    assert api_on.get(f"/v2/zones/tasks/exports/{made['id']}").get_json() == made
    file = api_on.get(f"/v2/zones/tasks/exports/{made['id']}/export")
    assert (file.status_code, file.mimetype) == (200, "text/dns")
    assert re.sub(r"org\. \d+ \d+ 600", "org. SERIAL REFRESH 600", file.text) == EXPECTED


@pytest.mark.parametrize("path", ["/v2/zones/{}/zonefile", "/admin/zones/export/{}"])
def test_a_zone_is_read_as_a_zone_file(api: Api, path: str) -> None:
    zone = filled(api)
    file = api.get(path.format(zone["id"]))
    assert file.mimetype == "text/dns"
    assert re.sub(r"org\. \d+ \d+ 600", "org. SERIAL REFRESH 600", file.text) == EXPECTED


def test_what_is_exported_is_imported_as_the_same_zone(api_on: Api) -> None:
    zone = filled(api_on)
    text = api_on.get(f"/v2/zones/{zone['id']}/zonefile").text
    other = make_api(api_on.core.db)
    renamed = text.replace("example.org.", "example.com.")
    other.post("/v2/zones/tasks/imports", data=renamed, headers={"Content-Type": "text/dns"})
    jobs.run_once(other.core)
    copy = other.get("/v2/zones?name=example.com.").get_json()["zones"][0]
    again = other.get(f"/v2/zones/{copy['id']}/zonefile").text
    assert sorted(again.splitlines()[4:]) == sorted(renamed.splitlines()[4:])


def test_a_reader_may_read_the_zone_file_and_not_export(api: Api) -> None:
    zone = filled(api)
    reader = api.of("project-1", "reader")
    assert reader.get(f"/v2/zones/{zone['id']}/zonefile").status_code == 200
    assert refused_body(reader.post(f"/v2/zones/{zone['id']}/tasks/export")) == {
        "code": 403,
        "type": "forbidden",
        "message": "policy create_zone_export does not allow this",
    }


def test_a_zone_above_the_quota_is_not_exported(api: Api) -> None:
    few = make_api(api.core.db, quota_api_export_size=4)
    zone = filled(few)
    assert refused_body(few.post(f"/v2/zones/{zone['id']}/tasks/export")) == {
        "code": 413,
        "type": "over_quota",
        "message": "Quota exceeded for api_export_size.",
    }


def test_zones_of_other_projects_are_not_found(api: Api) -> None:
    zone = filled(api)
    other = api.of("other")
    expected = {"code": 404, "type": "zone_not_found", "message": "Could not find Zone"}
    assert refused_body(other.get(f"/v2/zones/{zone['id']}/zonefile")) == expected
    assert refused_body(other.post(f"/v2/zones/{zone['id']}/tasks/export")) == expected


def test_an_export_of_a_zone_that_is_gone_says_so(api: Api) -> None:
    zone = filled(api)
    made = api.post(f"/v2/zones/{zone['id']}/tasks/export").get_json()
    api.core.db.write(lambda tx: zones.mark_deleted(tx, zone["id"], utcnow()))
    answer = api.get(f"/v2/zones/tasks/exports/{made['id']}/export")
    assert refused_body(answer) == {"code": 404, "type": "zone_not_found", "message": "Could not find Zone"}


def test_exports_are_listed_and_deleted(api_on: Api) -> None:
    zone = filled(api_on)
    first, second = (api_on.post(f"/v2/zones/{zone['id']}/tasks/export").get_json() for _ in range(2))
    listed = api_on.get(f"/v2/zones/tasks/exports?zone_id={zone['id']}").get_json()
    assert listed["exports"] == [first, second]
    assert listed["metadata"] == {"total_count": 2}
    assert api_on.delete(f"/v2/zones/tasks/exports/{first['id']}").status_code == 204
    assert refused_body(api_on.get(f"/v2/zones/tasks/exports/{first['id']}")) == {
        "code": 404,
        "type": "zone_export_not_found",
        "message": "Could not find ZoneExport",
    }


def test_a_zone_file_is_of_one_moment_whatever_is_changed_while_it_is_read(api_on: Api) -> None:
    api = make_api(api_on.core.db, quota_zone_records=-1, quota_zone_recordsets=-1)
    lines = "".join(f"host{number} A 192.0.2.1\n" for number in range(5000))
    head = "$ORIGIN example.org.\n$TTL 60\n@ SOA a. b.example.org. 1 2 3 4 5\n"
    api.post("/v2/zones/tasks/imports", data=head + lines, headers={"Content-Type": "text/dns"})
    jobs.run_once(api.core)
    zone = api.get("/v2/zones").get_json()["zones"][0]
    stream = api.get(f"/v2/zones/{zone['id']}/zonefile", buffered=False).iter_encoded()
    text = next(stream)
    api.recordset(zone, "zz.example.org.", "A", "192.0.2.9")
    text += b"".join(stream)
    assert b" SOA ns1.example.net. b.example.org. 1 " in text
    assert b"zz.example.org." not in text
    assert text.count(b" IN A ") == 5000
