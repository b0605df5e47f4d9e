# SPDX-License-Identifier: Apache-2.0
"""docs/identity.md: what it tells people to write works as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from control import config
from control.identity import accounts
from control.policy_file import load
from control.storage.database import Database
from tests.control.logins import World, make_world, serving

GUIDE = (Path(__file__).parents[2] / "docs" / "identity.md").read_text("utf-8")


def block(language: str, containing: str) -> str:
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL) if containing in text)


@pytest.fixture
def world(sqlite: Database) -> World:
    made = make_world(sqlite)
    accounts.create_project(made.api.core, "web")
    accounts.add_role(made.api.core, "joe", "web", "member")
    return made


@pytest.mark.filterwarnings("ignore:.*will be removed in a future release")  # the SDK tells of its own future
@pytest.mark.parametrize("cloud", ["dns", "dns-robot", "dns-basic"])
def test_cloud_of_the_guide_lists_zones(world: World, tmp_path: Path, cloud: str) -> None:
    openstack = pytest.importorskip("openstack", reason="pip install openstacksdk")
    with serving(world.api.app) as url:
        clouds = yaml.safe_load(block("yaml", "clouds:").replace("http://127.0.0.1:9001", url))
        if cloud == "dns-robot":
            path = f"/identity/v3/users/{world.users['joe']}/application_credentials"
            answer = world.as_("joe", "web").post(path, {"application_credential": {"name": "robot"}}).get_json()
            auth: dict[str, Any] = clouds["clouds"][cloud]["auth"]
            auth["application_credential_id"] = answer["application_credential"]["id"]
            auth["application_credential_secret"] = answer["application_credential"]["secret"]
        file = tmp_path / "clouds.yaml"
        file.write_text(yaml.safe_dump(clouds))
        region = openstack.config.OpenStackConfig(config_files=[str(file)], load_envvars=False).get_one(cloud)
        with openstack.connection.Connection(config=region) as connection:
            assert list(connection.dns.zones()) == []


def test_policies_of_the_guide_are_read(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(block("yaml", "create_zone"))
    assert load(tmp_path / "policy.yaml").rules


def test_keystone_of_the_guide_is_read(tmp_path: Path) -> None:
    (tmp_path / "control.toml").write_text(block("toml", "[keystone]"))
    assert config.load(tmp_path / "control.toml", {}).keystone["username"] == "designate"


def test_token_of_the_guide_is_made(world: World) -> None:
    body = json.loads(block("json", "grants"))
    assert world.as_("joe").post("/v2/tokens", body).status_code == 201
