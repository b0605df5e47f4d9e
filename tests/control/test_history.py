# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select

from control import jobs, soa, zonefiles
from control.model import WireRrset
from control.storage import bulk, journal, zones
from control.storage.tables import journal as journal_table
from tests.control.conftest import Api, emptied, make_api

NAMES = ("a", "B", "b", "*.a", "c.d")
WWW = {"name": "www.example.org.", "type": "A"}
TEXT = {"Content-Type": "text/dns"}
RECORDS = {
    "A": ("192.0.2.1", "192.0.2.2", "192.0.2.3"),
    "TXT": ("word", '"two words"', "word2"),
    "MX": ("10 mail.example.net.", "20 mail.example.net."),
}


def state(api: Api, zone: dict[str, Any]) -> set[str]:
    """The zone's records with its SOA, as lines."""
    return set(api.get(f"/v2/zones/{zone['id']}/zonefile").text.lower().splitlines()[3:])


def data(lines: set[str]) -> set[str]:
    return {line for line in lines if " in soa " not in line}


def serial(api: Api, zone: dict[str, Any]) -> int:
    return int(api.get(f"/v2/zones/{zone['id']}").get_json()["serial"])


def diff(api: Api, zone: dict[str, Any], start: int, end: int) -> tuple[set[str], set[str]]:
    answer = api.get(f"/v2/zones/{zone['id']}/diff?from={start}&to={end}")
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    return {line.lower() for line in body["removed"]}, {line.lower() for line in body["added"]}


def change_at_random(api: Api, zone: dict[str, Any], chance: random.Random) -> None:
    url = f"/v2/zones/{zone['id']}"
    kind = chance.choice(("change", "change", "change", "change", "ttl", "email", "file"))
    if kind == "change":
        answer = api.post(f"{url}/changes", {"changes": [_change(chance) for _ in range(chance.randint(1, 4))]})
    elif kind == "ttl":
        answer = api.patch(url, {"ttl": chance.choice((300, 600, 3600))})
    elif kind == "email":
        answer = api.patch(url, {"email": chance.choice(("joe@example.org", "a.b@example.com"))})
    else:
        lines = "".join(f"{name} {chance.choice((300, 600))} A 192.0.2.{chance.randint(1, 3)}\n" for name in NAMES[::2])
        text = f"$ORIGIN example.org.\n@ 60 SOA a. b. 1 2 3 4 5\n{lines}"
        answer = api.put(f"{url}/zonefile", data=text, headers=TEXT)
    assert answer.status_code in (200, 202), answer.text


def _change(chance: random.Random) -> dict[str, Any]:
    rrtype = chance.choice(tuple(RECORDS))
    some = chance.sample(RECORDS[rrtype], chance.randint(1, len(RECORDS[rrtype])))
    place = {"name": f"{chance.choice(NAMES)}.example.org.", "type": rrtype}
    action = chance.choice(("upsert", "upsert", "add", "remove"))
    values = {"ttl": chance.choice((None, 0, 300))} if action == "upsert" else {}
    return {"action": action, **place, **values, "records": some}


def replayed(tx: Connection, zone_id: str) -> Counter[zonefiles.WireRrset]:
    """What the journal says is there, from the zone's first change on."""
    there: Counter[Any] = Counter()
    for entry in journal.entries(tx, zone_id, 0, 1 << 40):
        there.subtract((owner.lower(), *rest) for owner, *rest in journal.removed(tx, entry))
        there.update((owner.lower(), *rest) for owner, *rest in journal.added(tx, entry))
    return +there


def stored(tx: Connection, zone_id: str) -> Counter[Any]:
    zone = zones.get(tx, zone_id)
    owner, rrtype, ttl, wire = soa.wire_record(zone)
    rrsets = [WireRrset(owner, rrtype, ttl, (wire,)), *bulk.stream(tx, zone)]
    return Counter((each.owner.lower(), each.rrtype, each.ttl, wire) for each in rrsets for wire in each.wires)


@pytest.mark.parametrize("seed", range(6))
def test_any_past_state_can_be_told_and_brought_back(api_on: Api, seed: int) -> None:
    chance = random.Random(seed)
    api = make_api(emptied(api_on.core.db))
    zone = api.zone()
    past = {serial(api, zone): state(api, zone)}
    for _ in range(10):
        change_at_random(api, zone, chance)
        past[serial(api, zone)] = state(api, zone)
    for start, end in [(chance.choice(list(past)), chance.choice(list(past))) for _ in range(8)]:
        removed, added = diff(api, zone, start, end)
        assert removed <= past[start]
        assert (past[start] - removed) | added == past[end]
    for number in chance.sample(list(past), 4):
        api.patch(f"/v2/zones/{zone['id']}", {"ttl": 3600})
        assert api.post(f"/v2/zones/{zone['id']}/tasks/rollback", {"serial": number}).status_code in (200, 202)
        assert data(state(api, zone)) - apex_ns(past[number]) == data(past[number]) - apex_ns(past[number])
    assert api.core.db.read(lambda tx: replayed(tx, zone["id"]) - stored(tx, zone["id"])) == Counter()
    assert api.core.db.read(lambda tx: stored(tx, zone["id"]) - replayed(tx, zone["id"])) == Counter()


def apex_ns(lines: set[str]) -> set[str]:
    """They follow the zone's TTL, which a rollback leaves alone."""
    return {f"example.org. {ttl} in ns ns{number}.example.net." for ttl in (300, 600, 3600) for number in (1, 2)}


# ----------------------------------------------------------------------------------------------------------- history


def test_history_tells_who_changed_what_newest_first(api: Api) -> None:
    zone = api.zone()
    api.recordset(zone, "www.example.org.", "A", "192.0.2.1", "192.0.2.2")
    answer = api.post(
        f"/v2/zones/{zone['id']}/changes",
        {
            "note": "a note",
            "changes": [{"action": "remove", "name": "www.example.org.", "type": "A", "records": ["192.0.2.1"]}],
        },
    )
    found = api.get(f"/v2/zones/{zone['id']}/history").get_json()
    last, middle, first = found["history"]
    assert last == {
        "revision": 3,
        "kind": "change",
        "from_serial": middle["to_serial"],
        "to_serial": serial(api, zone),
        "project_id": "project-1",
        "user_id": "project-1-user",
        "request_id": answer.headers["X-Openstack-Request-Id"],
        "note": "a note",
        "removed": 2,
        "added": 1,
        "created_at": last["created_at"],
    }
    assert (first["from_serial"], first["removed"], first["added"]) == (None, 0, 2)
    assert found["links"] == {"self": f"http://localhost/v2/zones/{zone['id']}/history"}


def test_history_comes_in_pages(api_on: Api) -> None:
    zone = api_on.zone()
    for number in range(4):
        api_on.recordset(zone, f"a{number}.example.org.", "A", "192.0.2.1")
    seen = []
    url = f"/v2/zones/{zone['id']}/history?limit=2"
    while url:
        page = api_on.get(url).get_json()
        seen += [entry["revision"] for entry in page["history"]]
        url = page["links"].get("next", "")
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("path", ["history", "diff?from=1&to=2"])
def test_the_past_of_another_projects_zone_is_not_found(api: Api, path: str) -> None:
    zone = api.zone()
    assert api.of("other").get(f"/v2/zones/{zone['id']}/{path}").get_json()["type"] == "zone_not_found"


# ------------------------------------------------------------------------------------- what can't be told


def refused_body(answer: Any) -> dict[str, Any]:
    body = answer.get_json()
    assert answer.status_code == body["code"]
    del body["request_id"]
    return body


def test_a_serial_that_never_was_is_not_found(api: Api) -> None:
    zone = api.zone()
    expected = {
        "code": 404,
        "type": "change_not_found",
        "message": "example.org. never had the serial 7, or its journal has forgotten it",
    }
    assert refused_body(api.get(f"/v2/zones/{zone['id']}/diff?from=7&to={serial(api, zone)}")) == expected
    assert refused_body(api.post(f"/v2/zones/{zone['id']}/tasks/rollback", {"serial": 7})) == expected


def test_a_serial_is_a_number(api: Api) -> None:
    zone = api.zone()
    assert refused_body(api.get(f"/v2/zones/{zone['id']}/diff?from=yesterday&to=1")) == {
        "code": 400,
        "type": "bad_request",
        "message": "from must be a whole number, got 'yesterday'",
    }


def test_what_was_forgotten_is_said_to_be(api: Api) -> None:
    zone = api.zone()
    serials = [serial(api, zone)]
    for number in range(3):
        api.recordset(zone, f"a{number}.example.org.", "A", "192.0.2.1")
        serials.append(serial(api, zone))
    api.core.db.write(lambda tx: tx.execute(delete(journal_table).where(journal_table.c.revision == 3)))
    body = refused_body(api.get(f"/v2/zones/{zone['id']}/diff?from={serials[0]}&to={serials[3]}"))
    assert body == {
        "code": 404,
        "type": "change_not_found",
        "message": "the journal of example.org. does not reach back so far",
    }


# ------------------------------------------------------------------------------------- zones that were imported


@pytest.fixture
def imported(api_on: Api) -> dict[str, Any]:
    text = (
        "$ORIGIN example.org.\n@ 60 SOA a. b.example.org. 2026010101 2 3 4 5\nwww 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
    )
    api_on.post("/v2/zones/tasks/imports", data=text, headers=TEXT)
    jobs.run_once(api_on.core)
    zone: dict[str, Any] = api_on.get("/v2/zones").get_json()["zones"][0]
    return zone


def test_an_import_is_told_by_its_counts_alone(api_on: Api, imported: dict[str, Any]) -> None:
    entry = api_on.get(f"/v2/zones/{imported['id']}/history").get_json()["history"][0]
    assert (entry["kind"], entry["removed"], entry["added"], entry["note"]) == ("whole", 0, 4, "import")
    octets = api_on.core.db.read(lambda tx: tx.execute(select(journal_table.c.added)).scalar_one())
    assert len(list(journal.unpack(octets))) == 1


def test_an_imported_zone_is_brought_back_to_what_was_imported(api_on: Api, imported: dict[str, Any]) -> None:
    before = state(api_on, imported)
    api_on.recordset(imported, "new.example.org.", "A", "192.0.2.9")
    api_on.put(f"/v2/zones/{imported['id']}/zonefile", data="@ 60 SOA a. b. 1 2 3 4 5\n", headers=TEXT)
    answer = api_on.post(f"/v2/zones/{imported['id']}/tasks/rollback", {"serial": 2026010101})
    assert answer.status_code == 202
    assert data(state(api_on, imported)) == data(before)
    assert diff(api_on, imported, 2026010101, serial(api_on, imported))[0] == before - data(before)


# ------------------------------------------------------------------------------------------------------------- rollback


def test_a_rollback_answers_what_it_did(api: Api) -> None:
    zone = api.zone()
    kept = api.recordset(zone, "kept.example.org.", "TXT", "old", "unquoted", description="mine")
    then = serial(api, zone)
    api.put(f"/v2/zones/{zone['id']}/recordsets/{kept['id']}", {"records": ["unquoted", "new"], "ttl": 60})
    api.recordset(zone, "more.example.org.", "A", "192.0.2.1")
    url = f"/v2/zones/{zone['id']}/tasks/rollback"
    expected = {
        "created": 0,
        "updated": 1,
        "deleted": 1,
        "removed": [
            'kept.example.org. 60 IN TXT "new"',
            'kept.example.org. 60 IN TXT "unquoted"',
            "more.example.org. 3600 IN A 192.0.2.1",
        ],
        "added": ['kept.example.org. 3600 IN TXT "old"', 'kept.example.org. 3600 IN TXT "unquoted"'],
        "links": {"self": f"http://localhost{url}"},
    }
    now = serial(api, zone)
    rehearsed = api.post(f"{url}?dry_run=true", {"serial": then}).get_json()
    assert rehearsed == {**expected, "serial": rehearsed["serial"]}
    assert serial(api, zone) == now
    answer = api.post(url, {"serial": then})
    assert (answer.status_code, answer.get_json()) == (202, {**expected, "serial": serial(api, zone)})
    again = api.get(f"/v2/zones/{zone['id']}/recordsets/{kept['id']}").get_json()
    assert (again["records"], again["description"]) == (["unquoted", '"old"'], "mine")
    entry = api.get(f"/v2/zones/{zone['id']}/history").get_json()["history"][0]
    assert entry["note"] == f"rollback to serial {then}"


def test_a_rollback_to_what_is_there_changes_nothing(api: Api) -> None:
    zone = api.zone()
    now = serial(api, zone)
    answer = api.post(f"/v2/zones/{zone['id']}/tasks/rollback", {"serial": now})
    assert (answer.status_code, answer.get_json()["serial"], serial(api, zone)) == (200, now, now)
