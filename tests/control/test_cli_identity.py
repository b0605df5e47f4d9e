# SPDX-License-Identifier: Apache-2.0
"""`fastmdns user`, `project`, `role` and `token`, over a database of their own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from control.cli import identity
from control.identity import passwords
from control.storage import accounts, schema
from control.storage.database import Database
from control.storage.tokens import every
from fastmdns import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path}/control.db")
    schema.upgrade(made)
    return made


@pytest.fixture
def run(database: Database, capsys: pytest.CaptureFixture[str]) -> Run:
    """Command and arguments → exit code, stdout, stderr."""
    url = database.url.render_as_string()

    def run(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli._run([*args, "--database", url])
        return code, *capsys.readouterr()

    return run


def done(result: tuple[int, str, str]) -> Any:
    code, out, err = result
    assert (code, err) == (0, ""), err
    return json.loads(out) if out.startswith(("{", "[")) else out


def password_of(database: Database, name: str) -> str:
    found = database.read(lambda tx: accounts.user_named(tx, name))
    assert found is not None
    return found.password


def test_user_is_created_in_a_project_with_a_password_that_is_told_once(run: Run, database: Database) -> None:
    done(run("project", "create", "alpha"))
    made = done(run("user", "create", "joe", "--project", "alpha", "--role", "reader", "--generate", "--json"))
    assert passwords.is_right(made["password"], password_of(database, "joe"))
    (listed,) = done(run("user", "list", "--json"))
    assert (listed["name"], listed["default_project"], listed["roles"]) == ("joe", "alpha", ["alpha: reader"])
    assert made["password"] not in done(run("user", "list"))


def test_user_without_a_role_that_is_named_is_a_member(run: Run) -> None:
    done(run("project", "create", "alpha"))
    done(run("user", "create", "joe", "--project", "alpha", "--generate"))
    assert "alpha: member" in done(run("user", "list"))


def test_password_is_read_from_a_file_or_stdin(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("from a file\n")
    done(run("user", "create", "joe", "--password-file", str(tmp_path / "password")))
    assert passwords.is_right("from a file", password_of(database, "joe"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from stdin\n")))
    done(run("user", "password", "joe", "--password-file", "-"))
    assert passwords.is_right("from stdin", password_of(database, "joe"))


def test_password_is_asked_for_twice_and_not_shown(database: Database) -> None:
    args = ["create", "joe", "--database", database.url.render_as_string()]
    result = CliRunner().invoke(identity.user, args, input="long enough\nlong enough\n", catch_exceptions=False)
    assert result.exit_code == 0
    assert "long enough" not in result.output
    assert passwords.is_right("long enough", password_of(database, "joe"))


def test_role_is_added_and_removed(run: Run) -> None:
    done(run("project", "create", "alpha"))
    done(run("user", "create", "joe", "--generate"))
    done(run("role", "add", "admin", "--user", "joe", "--project", "alpha"))
    assert "alpha: admin" in done(run("user", "list"))
    done(run("role", "remove", "admin", "--user", "joe", "--project", "alpha"))
    assert "admin" not in done(run("user", "list"))


def test_user_is_disabled_and_deleted(run: Run) -> None:
    done(run("user", "create", "joe", "--generate"))
    done(run("user", "set", "joe", "--disable"))
    assert done(run("user", "list", "--json"))[0]["enabled"] is False
    done(run("user", "delete", "joe"))
    assert done(run("user", "list", "--json")) == []


def test_projects_are_listed_and_deleted(run: Run) -> None:
    done(run("project", "create", "alpha"))
    assert [item["name"] for item in done(run("project", "list", "--json"))] == ["alpha"]
    done(run("project", "delete", "alpha"))
    assert done(run("project", "list", "--json")) == []


def test_token_is_created_listed_and_revoked(run: Run, database: Database) -> None:
    done(run("project", "create", "alpha"))
    done(run("user", "create", "joe", "--project", "alpha", "--generate"))
    grant = "--zone *.org --name _acme-challenge.* --type txt --action read --action create --network 192.0.2.0/24"
    made = done(run("token", "create", "acme", "--user", "joe", *grant.split(), "--json"))
    assert made["token"].startswith("fmd_")
    assert made["grants"] == ["read+create of TXT at _acme-challenge.* in *.org."]
    table = done(run("token", "list", "--project", "alpha"))
    assert "acme" in table
    assert made["token"] not in table
    done(run("token", "revoke", made["id"]))
    assert database.read(every) == []


REFUSED = {
    "user delete nobody": (1, "Could not find user: nobody."),
    "project delete nothing": (1, "Could not find project: nothing."),
    "user create joe --generate --project nothing": (1, "Could not find project: nothing."),
    "user create joe --generate --role member": (2, "--role needs --project"),
    "user create joe --password-file /nothing": (2, "can't read /nothing: No such file or directory"),
    "user set joe": (2, "nothing to change"),
    "role add king --user joe --project alpha": (2, "'king' is not one of 'admin', 'member', 'reader'"),
    "token create acme --user nobody --zone *": (1, "Could not find user: nobody."),
    "token revoke 0": (1, "Could not find Token"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_can_not_be_is_one_line_and_an_exit_code(run: Run, line: str) -> None:
    code, reason = REFUSED[line]
    found, out, err = run(*line.split())
    assert (found, out) == (code, "")
    assert reason in err
    assert err.count("\n") == 1


def test_short_password_and_taken_name_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("short")
    code, _, err = run("user", "create", "joe", "--password-file", str(tmp_path / "short"))
    assert (code, err) == (1, "fastmdns: a password has 8 characters or more\n")
    done(run("user", "create", "joe", "--generate"))
    code, _, err = run("user", "create", "joe", "--generate")
    assert (code, err) == (1, "fastmdns: there is a user 'joe' already\n")
