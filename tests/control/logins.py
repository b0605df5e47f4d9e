# SPDX-License-Identifier: Apache-2.0
"""The API with the built-in identity, and the people of its tests: an admin, and joe and ann who are members."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from control.identity import accounts
from control.storage.database import Database
from tests.control.conftest import Api, make_api

PASSWORD = "correct horse"
TOKENS = "/identity/v3/auth/tokens"


@dataclass
class World:
    """An API with users. projects, users: name → id."""

    api: Api
    projects: dict[str, str]
    users: dict[str, str]

    def log_in(self, user: str, project: str | None = None, password: str = PASSWORD) -> TestResponse:
        scope = None if project is None else {"project": {"name": project, "domain": {"id": "default"}}}
        return self.ask_for_token(password_of(user, password), scope)

    def ask_for_token(self, identity: dict[str, Any], scope: Any = None) -> TestResponse:
        auth = {"identity": identity, **({"scope": scope} if scope is not None else {})}
        return self.api.post(TOKENS, {"auth": auth})

    def token(self, user: str, project: str | None = None) -> str:
        answer = self.log_in(user, project)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def as_(self, user: str, project: str | None = None) -> Api:
        return self.holding(self.token(user, project))

    def holding(self, token: str) -> Api:
        return Api(self.api.core, self.api.app, {"X-Auth-Token": token})


def password_of(user: str, password: str = PASSWORD) -> dict[str, Any]:
    return {
        "methods": ["password"],
        "password": {"user": {"name": user, "domain": {"name": "Default"}, "password": password}},
    }


def make_world(database: Database, **settings: Any) -> World:
    made = make_api(database, **{"auth": "builtin", **settings})
    core = made.core
    projects = {name: accounts.create_project(core, name).id for name in ("ops", "alpha", "beta")}
    people = {"root": ("ops", "admin"), "joe": ("alpha", "member"), "ann": ("beta", "reader")}
    users = {name: accounts.create_user(core, name, PASSWORD, home, [role]).id for name, (home, role) in people.items()}
    return World(Api(core, made.app), projects, users)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The application on a port of its own, in threads."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
