# SPDX-License-Identifier: Apache-2.0
"""/v2/tokens: API tokens of the caller's project, with auth = builtin."""

from __future__ import annotations

from typing import Any

from control.api.call import Call
from control.api.moments import moment
from control.api.operations import ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.tokens import ApiToken, ApiTokens, NewApiToken, SelfToken, TokenCreate
from control.identity import apitokens, sessions
from control.storage.tokens import Token


@operation("POST", "/v2/tokens", body=TokenCreate, answers={201: NewApiToken})
def create_token(call: Call) -> Reply:
    """Create an API token.

    It may do what its grants say and what its maker may do, whichever is less, and never what needs the role admin.
    """
    body = call.parsed(TokenCreate)
    grants = [grant.model_dump() for grant in body.grants]
    wanted = apitokens.TokenWanted(body.name, grants, body.networks, moment("expires_at", body.expires_at))
    text, made = apitokens.create(call.core, call.ctx, wanted)
    return Reply({**render(call, made), "token": text}, 201, {"Location": call.url(f"/v2/tokens/{made.id}")})


@operation("GET", "/v2/tokens", answers={200: ApiTokens}, list_of=ListSpec(sort_keys=("created_at", "id", "name")))
def list_tokens(call: Call) -> Reply:
    """List the API tokens of the project."""
    call.filters()
    page = call.page()
    found = apitokens.page(call.core, call.ctx, page)
    return call.listing("tokens", [render(call, token) for token in found[: page.limit]], len(found) > page.limit)


@operation("GET", "/v2/tokens/self", answers={200: SelfToken})
def get_own_token(call: Call) -> Reply:
    """Show what the token of this request may do."""
    ctx = call.ctx
    token = sessions.holder(call.core, ctx.token).token if ctx.token else None
    scope = token.scope if token else None
    return Reply(
        {
            "kind": token.kind if token else "session",
            "name": token.name if token else None,
            "project_id": ctx.project_id,
            "user_id": ctx.user_id,
            "roles": sorted(ctx.roles),
            "grants": scope["grants"] if scope else None,
            "networks": scope["networks"] if scope else [],
            "expires_at": timestamp(token.expires_at if token else None),
        }
    )


@operation("GET", "/v2/tokens/<token_id>", answers={200: ApiToken})
def get_token(call: Call) -> Reply:
    """Show an API token, without its secret."""
    return Reply(render(call, apitokens.get(call.core, call.ctx, call.path["token_id"])))


@operation("DELETE", "/v2/tokens/<token_id>", answers={204: None})
def delete_token(call: Call) -> Reply:
    """Revoke an API token: the next request with it is refused."""
    apitokens.revoke(call.core, call.ctx, call.path["token_id"])
    return Reply(status=204)


def render(call: Call, token: Token) -> dict[str, Any]:
    scope = token.scope or {"grants": [], "networks": []}
    return {
        "id": token.id,
        "name": token.name,
        "project_id": token.project_id,
        "user_id": token.user_id,
        "grants": scope["grants"],
        "networks": scope["networks"],
        "created_at": timestamp(token.created_at),
        "expires_at": timestamp(token.expires_at),
        "used_at": timestamp(token.used_at),
        "links": {"self": call.url(f"/v2/tokens/{token.id}")},
    }
