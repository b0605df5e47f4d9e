# SPDX-License-Identifier: Apache-2.0
"""Imports: a zone file is taken as it comes and becomes a zone later, by a worker (jobs.py). Its end is in its message.

The zone and the end of its import are one transaction: there is never half a zone, and never one twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import IO

from sqlalchemy import Connection

from control import zonefiles
from control.central import contents, zones
from control.central.core import Core
from control.central.scheduler import pool_for
from control.central.tasks import new_task
from control.context import Context
from control.errors import Invalid, Problem, Refused, Unavailable, refuse_if_any
from control.rules.contents import checked
from control.storage import bulk, tasks
from control.storage.change import finish
from control.storage.tasks import PART, Kind, TaskStatus, ZoneTask
from control.zonefiles import ZoneFile
from fastmdns import name
from fastmdns.server import logs

# What Designate says of refusals.
SAID = {"duplicate_zone": "Duplicate zone.", "over_quota": "Quota exceeded during zone import."}
MALFORMED = "Malformed zonefile. "
UNDEFINED = "An undefined error occurred. "
TRIES = 5  # of workers that ended without a word
Told = Callable[[int], None]  # how many octets are done


class ClaimLost(Exception):  # noqa: N818  no error: another worker has the import, or nobody wants it any more
    pass


def create(core: Core, ctx: Context, body: IO[bytes], attributes: Mapping[str, str]) -> ZoneTask:
    """Takes the zone file. Refused only where the caller may not import, or no pool has the attributes."""
    if ctx.scope is not None:
        raise Refused("forbidden", "a token that is restricted to some zones can't import others")
    task = new_task(core, ctx, Kind.IMPORT, TaskStatus.PENDING)
    core.policy.check(ctx, "create_zone_import", project_id=task.project_id)
    octets = body.seek(0, 2)
    options = {"attributes": dict(attributes), "roles": sorted(ctx.roles)}

    def work(tx: Connection) -> ZoneTask:
        pool_for(core, tx, ctx, attributes)
        wanted = replace(task, options=options, octets=octets)
        tasks.insert_task(tx, wanted)
        body.seek(0)
        tasks.put_body(tx, task.id, iter(lambda: body.read(PART), b""))
        return wanted

    return core.write(ctx, work)


# ----------------------------------------------------------------------------------------------------- by the worker


def run(core: Core, task: ZoneTask, told: Told) -> None:
    """Makes the zone of an import that was claimed, or says in its message why not.

    Raises Unavailable where another try may do better, ClaimLost where nobody waits for the outcome.
    """
    try:
        if task.options["tries"] > TRIES:
            raise Refused("unknown", f"{UNDEFINED}The import did not end in {TRIES} tries.")
        file = zonefiles.read(core.db.read(lambda tx: tasks.body(tx, task.id)))
        core.db.write(lambda tx: _make_zone(core, tx, task, file, told))
    except (Unavailable, ClaimLost):
        raise
    except Refused as error:
        _fail(core, task, _message(error))
    except Exception as error:  # noqa: BLE001  whatever it is, its author waits for an answer
        logs.failure("import failed", task=task.id)
        _fail(core, task, f"{UNDEFINED}{error}"[:130])


def _make_zone(core: Core, tx: Connection, task: ZoneTask, file: ZoneFile, told: Told) -> None:
    ctx = Context(
        request_id=task.request_id or "",
        user_id=task.user_id,
        project_id=task.project_id,
        roles=frozenset(task.options["roles"]),
    )
    change = zones.open_zone(core, tx, ctx, _wanted(task, file))
    change.note = "import"
    change.make_whole()
    problems: list[Problem] = []
    rules = contents.rules_of(core, tx, ctx, change.zone)
    # One walk through a million rrsets, not three: what turns out to be wrong later undoes what was stored before.
    for batch in bulk.insert_all(tx, change, checked(rules, file.rrsets, problems)):
        contents.check_growth(core, tx, change, batch)
        told(task.octets * change.records // len(file.records))
    refuse_if_any(problems)
    zone = finish(tx, change, ctx)
    _settle(core, tx, task, TaskStatus.COMPLETE, f"{zone.name} imported", zone.id)


def _wanted(task: ZoneTask, file: ZoneFile) -> zones.NewZone:
    return zones.NewZone(
        name=name.to_text(file.apex),
        email=file.email,
        ttl=file.ttl,
        attributes=task.options["attributes"],
        numbers={"serial": file.serial, "retry": file.retry, "expire": file.expire},
    )


def _fail(core: Core, task: ZoneTask, message: str) -> None:
    core.db.write(lambda tx: _settle(core, tx, task, TaskStatus.ERROR, message))


def _settle(
    core: Core, tx: Connection, task: ZoneTask, status: TaskStatus, message: str, zone_id: str | None = None
) -> None:
    if not tasks.settle(tx, task, status, message, core.clock(), zone_id):
        raise ClaimLost


def _message(error: Refused) -> str:
    if not isinstance(error, Invalid):
        return SAID.get(error.code, error.message)
    said = "; ".join(_in_words(error))
    malformed = all(problem.path == zonefiles.PATH and problem.validator == "format" for problem in error.problems)
    return (MALFORMED if malformed else "") + said


def _in_words(error: Invalid) -> Iterator[str]:
    return (problem.message for problem in error.problems[:10])
