# SPDX-License-Identifier: Apache-2.0
"""From errors to answers: the one table of HTTP statuses, and the two shapes of an error's body."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from control.errors import ControlError, Invalid, Problem


def _codes(status: int, names: str) -> dict[str, int]:
    return dict.fromkeys(names.split(), status)


STATUS: dict[str, int] = {
    **_codes(
        400,
        "invalid_object bad_request empty_request_body invalid_json invalid_uuid invalid_limit invalid_sort_key"
        " invalid_sort_dir invalid_marker marker_not_found invalid_operation invalid_project invalid_zone_name"
        " invalid_recordset_name invalid_recordset_location invalid_ttl invalid_tsigkey"
        " invalid_zone_transfer_request zone_has_sub_zone zone_is_shared shared_zone_has_sub_zone"
        " shared_zone_has_recordsets last_server_delete_not_allowed",
    ),
    **_codes(401, "missing_project_id unauthorized"),
    **_codes(403, "forbidden illegal_child illegal_parent invalid_key invalid_token_scope no_endpoint"),
    **_codes(
        404,
        "not_found zone_not_found recordset_not_found pool_not_found tld_not_found"
        " blacklist_not_found tsigkey_not_found service_status_not_found"
        " zone_transfer_request_not_found zone_transfer_accept_not_found zone_import_not_found"
        " zone_export_not_found token_not_found user_not_found project_not_found role_not_found credential_not_found"
        " shared_zone_not_found report_not_found no_valid_pool_found change_not_found",
    ),
    **_codes(405, "method_not_allowed"),
    **_codes(406, "unsupported_accept"),
    **_codes(
        409,
        "duplicate_zone duplicate_recordset duplicate_tld duplicate_blacklist duplicate_tsigkey"
        " duplicate_pool duplicate_user duplicate_project duplicate_credential duplicate_shared_zone"
        " duplicate_zone_transfer_request conflict",
    ),
    **_codes(412, "precondition_failed"),
    **_codes(413, "over_quota request_too_large"),
    **_codes(415, "unsupported_content_type"),
    **_codes(500, "unknown configuration_error no_servers_configured"),
    **_codes(503, "maintenance database_unavailable"),
    **_codes(504, "neutron_communication_failure keystone_communication_failure"),
}
# The kinds of pydantic's errors → the word Designate has for the kind of rule.
VALIDATORS = {
    "missing": "required",
    "extra_forbidden": "additionalProperties",
    "string_too_long": "maxLength",
    "string_too_short": "minLength",
    "greater_than_equal": "minimum",
    "less_than_equal": "maximum",
    "string_pattern_mismatch": "format",
    "too_long": "maxItems",
    "too_short": "minItems",
    "enum": "enum",
    "literal_error": "enum",
}


def body_of(error: ControlError, request_id: str) -> dict[str, Any]:
    """What the client reads. Problems come all at once, each with its path."""
    body: dict[str, Any] = {"code": STATUS[error.code], "type": error.code, "request_id": request_id}
    if error.message and error.message != error.code:
        body["message"] = error.message
    if body["code"] == 401:  # what clients of Keystone read
        body["error"] = {"code": 401, "title": "Unauthorized", "message": error.message}
    if isinstance(error, Invalid):
        body["errors"] = {"errors": [_problem(problem) for problem in error.problems]}
    return body


def keystone_body_of(error: ControlError) -> dict[str, Any]:
    """The same as Keystone says it: what clients of an identity expect, and of any 401."""
    status = STATUS[error.code]
    title = HTTPStatus(status).phrase
    return {"error": {"code": status, "title": title, "message": error.message or title}}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": list(problem.path),
        "message": problem.message,
        "validator": problem.validator,
        "validator_value": problem.validator_value,
    }


def problems_of(error: ValidationError) -> list[Problem]:
    """What pydantic found, in our words."""
    return [_from_pydantic(item) for item in error.errors(include_url=False, include_input=False)]


def _from_pydantic(item: Any) -> Problem:
    path = tuple(part for part in item["loc"] if part != "__root__")
    place = ".".join(str(part) for part in path)
    if item["type"] == "missing":
        return Problem(path, f"'{place}' is a required property", "required", [place])
    if item["type"] == "extra_forbidden":
        return Problem(path, f"'{place}' is not allowed here", "additionalProperties", False)
    context = item.get("ctx", {})
    limit = next((value for value in context.values() if isinstance(value, int | str | list)), None)
    kind = VALIDATORS.get(item["type"], "type")
    message = str(item["msg"]).removeprefix("Value error, ")
    return Problem(path, f"{place}: {message[:1].lower()}{message[1:]}", kind, limit)
