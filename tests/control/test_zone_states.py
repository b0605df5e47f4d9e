# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to a zone in whatever order, it is in the state that the one table says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control.central import zones
from control.model import TRANSITIONS, Action, Event, Status, after
from tests.control.conftest import Api, emptied, make_api
from tests.control.test_zones import row_of

FOUND = (Event.CONFIRMED, Event.FAILED, Event.MISSING)
GONE = (Action.NONE, Status.DELETED)


def happen(api: Api, zone: dict[str, Any], event: Event, turn: int) -> int:
    """→ the status of the answer, 0 where it was no request."""
    url = f"/v2/zones/{zone['id']}"
    if event is Event.CHANGED:
        return api.patch(url, {"ttl": turn + 1}).status_code
    if event is Event.DELETED:
        return api.delete(url).status_code
    zones.confirm(api.core, zone["id"], row_of(api, zone).revision, event)
    return 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(list(Event)), max_size=12))
def test_any_sequence_of_events_follows_the_table(sqlite: Any, events: list[Event]) -> None:
    api = make_api(emptied(sqlite))
    zone = api.zone()
    state, serial, revision = (Action.CREATE, Status.PENDING), zone["serial"], 1
    for turn, event in enumerate(events):
        possible = (state, event) in TRANSITIONS
        status = happen(api, zone, event, turn)
        row = row_of(api, zone)
        if possible:
            state = after(state, event)
            assert status in (0, 202)
        elif state == GONE:
            assert status in (0, 404)
        else:
            assert status == 400
        assert (row.action, row.status) == state
        assert row.serial > serial or event is not Event.CHANGED or not possible
        assert (row.serial, row.revision) >= (serial, revision)
        assert row.confirmed <= row.revision
        assert (state == (Action.NONE, Status.ACTIVE)) <= (row.confirmed == row.revision)
        serial, revision = row.serial, row.revision


@pytest.mark.parametrize("event", FOUND)
def test_a_deleted_zone_stays_deleted(api: Api, event: Event) -> None:
    zone = api.zone()
    happen(api, zone, Event.DELETED, 0)
    happen(api, zone, Event.CONFIRMED, 0)
    happen(api, zone, event, 0)
    assert row_of(api, zone).status == Status.DELETED


def test_what_the_table_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="a zone that is NONE/DELETED can't be changed"):
        after(GONE, Event.CHANGED)


def test_every_living_state_can_be_deleted_and_every_word_of_name_servers_is_heard_in_it() -> None:
    living = {state for state, _ in TRANSITIONS}
    assert {(state, event) for state in living for event in (Event.DELETED, *FOUND)} <= set(TRANSITIONS)
