# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from control.context import Context, roles
from control.policy import CHECKS, DEFAULTS, RULES, Policy
from control.policy_file import load
from fastmdns.errors import ConfigError

ADMIN = Context("r", "root", "p0", roles("admin"))
MEMBER = Context("r", "joe", "p1", roles("member"))
READER = Context("r", "ann", "p1", roles("reader"))


def policy(folder: Path, text: str) -> Policy:
    file = folder / "policy.yaml"
    file.write_text(text)
    return load(file)


def test_every_default_names_alternatives_that_exist() -> None:
    assert {word for alternatives in RULES.values() for word in alternatives} <= CHECKS.keys()


def test_no_file_means_the_defaults() -> None:
    assert load(None).rules == DEFAULTS


# Expression → whether it holds for an admin, a member and a reader, about a thing of project p1.
EXPRESSIONS = {
    "@": (True, True, True),
    "": (True, True, True),
    "!": (False, False, False),
    "role:member": (True, True, False),
    "role:Member": (True, True, False),
    "not role:member": (False, False, True),
    "project_id:%(project_id)s": (False, True, True),
    "role:admin or (role:member and project_id:%(project_id)s)": (True, True, False),
    "role:admin or role:member and project_id:%(project_id)s": (True, True, False),
    "(role:admin or role:reader) and user_id:ann": (False, False, True),
    "rule:admin_or_owner": (True, True, True),
    "is_admin:True": (True, False, False),
    "NOT role:admin AND (role:reader OR !)": (False, True, True),
    "'PRIMARY':%(zone_type)s and rule:owner": (False, True, True),
    "('True':%(zone_shared)s)": (True, True, True),
    "True:%(zone_shared)s and None:%(target_project_id)s": (True, True, True),
    "tenant:%(tenant_id)s": (False, True, True),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expression_holds_for_whom_it_should(tmp_path: Path, text: str) -> None:
    rules = policy(tmp_path, f'create_zone: "{text}"')
    facts = {"project_id": "p1", "primary": True, "shared": True}
    found = tuple(rules.allows(who, "create_zone", **facts) for who in (ADMIN, MEMBER, READER))
    assert found == EXPRESSIONS[text]


def test_designates_own_expressions_mean_what_our_defaults_mean(tmp_path: Path) -> None:
    rules = policy(
        tmp_path,
        "get_zone: \"(role:admin) or (role:reader and project_id:%(project_id)s) or ('True':%(zone_shared)s)\"\n"
        'get_zone_transfer_request: "((role:admin) or (role:member and project_id:%(project_id)s))'
        ' or project_id:%(target_project_id)s or None:%(target_project_id)s"\n',
    )
    for who in (ADMIN, MEMBER, READER):
        for facts in ({"project_id": "p1"}, {"project_id": "p2"}, {"project_id": "p2", "shared": True}):
            assert rules.allows(who, "get_zone", **facts) == Policy().allows(who, "get_zone", **facts)
        for target in (None, "p1", "p2"):
            about = {"project_id": "p2", "target_project_id": target}
            rule = "get_zone_transfer_request"
            assert rules.allows(who, rule, **about) == Policy().allows(who, rule, **about)


def test_rule_may_be_a_list_of_our_alternatives(tmp_path: Path) -> None:
    rules = policy(tmp_path, "delete_zone: [admin]\ncreate_zone: [admin, reader of project]")
    assert not rules.allows(MEMBER, "delete_zone", project_id="p1")
    assert rules.allows(READER, "create_zone", project_id="p1")


def test_rules_that_are_not_named_keep_their_default(tmp_path: Path) -> None:
    rules = policy(tmp_path, 'delete_zone: "!"')
    assert rules.allows(MEMBER, "create_zone", project_id="p1")


def test_alias_of_the_operators_own_may_be_read_by_rules(tmp_path: Path) -> None:
    rules = policy(tmp_path, 'dns_team: "role:dns"\nall_tenants: "role:admin or rule:dns_team"')
    assert rules.allows(Context("r", roles=roles("dns")), "all_tenants")


WRONG = {
    'create_zome: "@"': "policy.yaml:1: rule 'create_zome': no rule has this name; did you mean 'create_zone'?",
    '# one\ncreate_zone: "rule:admin_or_ower"': (
        "policy.yaml:2: rule 'create_zone': no rule 'admin_or_ower'; did you mean 'admin_or_owner'?"
    ),
    'create_zone: "role:admin or"': "rule 'create_zone': it ends where a check was expected",
    'create_zone: "role:admin role:member"': "'role:member' where `and`, `or` or the end was expected",
    'create_zone: "(role:admin"': "a ( is never closed",
    'create_zone: "admin"': "'admin' is no check",
    'create_zone: "project:%(project_id)s"': "no attribute 'project' of a caller; did you mean 'project_id'?",
    'create_zone: "project_id:%(projekt_id)s"': "no fact %(projekt_id)s; did you mean 'project_id'?",
    "create_zone: [amin]": "no alternative 'amin'; did you mean 'admin'?",
    "create_zone: {a: b}": "a rule is text, or a list of alternatives",
    'a: "rule:b"\nb: "rule:a"\ncreate_zone: "rule:a"': "it goes in a circle: a → b → a",
    "- create_zone": "a policy file is a mapping of rules",
    "create_zone: [": "policy.yaml: while parsing",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_file_is_refused_with_line_and_rule(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy(tmp_path, text)
    assert WRONG[text] in str(refused.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't read .*nothing"):
        load(tmp_path / "nothing")
