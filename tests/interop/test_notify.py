# SPDX-License-Identifier: Apache-2.0
"""A zone file with a new serial and a HUP: our NOTIFY makes each secondary fetch the zone again.

The zone's refresh time is a day, so nothing but the NOTIFY can be the reason.
"""

from __future__ import annotations

from tests.interop import zones
from tests.interop.conftest import Rig
from tests.nameservers import Nameserver, canonical, wait_until


def test_new_serial_is_fetched_after_a_reload(rig: Rig, secondary: Nameserver) -> None:
    secondary.wait_serial(zones.TLD, zones.SERIAL, seconds=60)  # what a secondary does at its start is over by then
    secondary.wait_serial(zones.CHANGING, rig.changing_serial)

    serial = rig.change()
    rig.primary.reload()
    secondary.wait_serial(zones.CHANGING, serial)

    assert canonical(secondary.records(zones.CHANGING)) == canonical(zones.records(rig.changing, zones.CHANGING))


def test_broken_file_leaves_the_last_good_zone_until_it_is_mended(rig: Rig) -> None:
    good = rig.changing_serial
    rig.primary.wait_serial(zones.CHANGING, good)

    rig.changing.write_text("this is no zone file\n")
    rig.primary.reload()
    wait_until("the log names the file", lambda: rig.changing.name in rig.primary.log.read_text(), seconds=10)
    assert rig.primary.serial(zones.CHANGING) == good

    mended = rig.change()
    rig.primary.reload()
    rig.primary.wait_serial(zones.CHANGING, mended)
    for secondary in rig.secondaries.values():
        secondary.wait_serial(zones.CHANGING, mended)
