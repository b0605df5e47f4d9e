# SPDX-License-Identifier: Apache-2.0
"""Zones that are made at the same moment: what one check allows can't be undone by another one beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from control.storage.database import Database
from tests.control.conftest import Api, make_api

CLIENTS = 4
ROUNDS = 5


def at_once(*calls: Callable[[], Any]) -> Counter[str]:
    """The types of refusals, "" for what was done, of calls that begin together."""
    barrier = Barrier(len(calls))

    def call(one: Callable[[], Any]) -> str:
        barrier.wait()
        answer = one()
        return "" if answer.status_code == 202 else str(answer.get_json()["type"])

    with ThreadPoolExecutor(len(calls)) as threads:
        return Counter(threads.map(call, calls))


def creation(api: Api, name: str) -> Callable[[], Any]:
    return lambda: api.post("/v2/zones", {"name": name, "email": "joe@example.org"})


def test_parent_and_child_of_different_projects_are_never_both_made(db: Database) -> None:
    api = make_api(db, quota_zones=-1)
    for number in range(ROUNDS):
        names = [f"z{number}.org.", f"a.z{number}.org.", f"b.a.z{number}.org."]
        done = at_once(*(creation(api.of(f"project-{at}"), name) for at, name in enumerate(names)))
        assert done[""] == 1, done


def test_one_name_is_one_projects(db: Database) -> None:
    api = make_api(db, quota_zones=-1)
    for number in range(ROUNDS):
        done = at_once(*(creation(api.of(f"project-{at}"), f"z{number}.org.") for at in range(CLIENTS)))
        assert done == {"": 1, "duplicate_zone": CLIENTS - 1}


def test_quota_holds_whoever_comes_at_once(db: Database) -> None:
    api = make_api(db, quota_zones=3)
    done = at_once(*(creation(api, f"z{number}.org.") for number in range(2 * CLIENTS)))
    assert done == {"": 3, "over_quota": 2 * CLIENTS - 3}


def test_zones_side_by_side_are_made_side_by_side(db: Database) -> None:
    api = make_api(db, quota_zones=-1)
    done = at_once(*(creation(api, f"z{number}.example.org.") for number in range(2 * CLIENTS)))
    assert done == {"": 2 * CLIENTS}
