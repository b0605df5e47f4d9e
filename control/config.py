# SPDX-License-Identifier: Apache-2.0
"""What the control plane can be told, declared once: TOML < environment (FASTMDNS_CONTROL_ + the key in capitals).

The file is named by --config or FASTMDNS_CONTROL_CONFIG. An unknown key is an error that names the nearest one. Keys
that end with _file read the value of the key without it from a file.
"""

from __future__ import annotations

import base64
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from fastmdns.config import nearest, split_endpoint
from fastmdns.errors import ConfigError

PREFIX = "FASTMDNS_CONTROL_"
KEY_SIZE = 32  # octets: AES-256


def default_database() -> str:
    """SQLite where systemd says, else where the XDG specification says."""
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    home = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "fastmdns"
    return f"sqlite:///{Path(state) if state else home}/control.db"


def secret_keys(text: str) -> list[bytes]:
    """The keys that secret_key holds, with spaces or commas between. ValueError where one is no key."""
    keys = []
    for word in text.replace(",", " ").split():
        try:
            key = base64.b64decode(word, validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_SIZE:
            raise ValueError(f"a key is {KEY_SIZE} octets in base64, as `openssl rand -base64 {KEY_SIZE}` prints them")
        keys.append(key)
    return keys


class ControlConfig(BaseModel):
    """Every key, its default and its help."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    database: str = Field(
        default_factory=default_database,
        description="The database as a URL: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME or mariadb://…",
    )
    database_pool: int = Field(10, ge=1, le=1000, description="Connections to the database, for each process.")

    listen: tuple[str, ...] = Field(("127.0.0.1:9001",), min_length=1, description="Addresses and ports of the API.")
    workers: int = Field(0, ge=0, le=1024, description="The API's worker processes; 0 is one for each core.")
    jobs: bool = Field(True, description="Run a process for imports beside the API; see fastmdns jobs.")
    metrics: str = Field("127.0.0.1:9154", description="Where /metrics (Prometheus) is answered; empty is nowhere.")
    log_format: Literal["text", "json"] = Field("text", description="Log lines as `event key=value`, or JSON.")

    auth: Literal["none", "builtin", "keystone"] = Field(
        "builtin", description="Who says who a caller is: nobody (headers are believed), our own identity, a Keystone."
    )
    token_seconds: int = Field(14400, ge=60, description="How long a token is worth something after a login.")
    region: str = Field("RegionOne", description="The region that our own catalog names.")
    keystone: dict[str, str | int | bool] = Field(
        default_factory=dict,
        validate_default=True,
        repr=False,
        description="What keystonemiddleware reads from [keystone_authtoken]: auth_url, username, password…",
    )
    policy_file: Path | None = Field(None, description="Policies in YAML that replace defaults, as Designate's.")
    secret_key: str = Field(
        "",
        repr=False,
        description="Seals TSIG secrets in the database: 32 octets in base64, and behind it older keys that still open;"
        " empty: made once beside an SQLite database.",
    )

    base_uri: str = Field("", description="The URL that links begin with; empty takes the Host header's.")
    max_body_size: int = Field(
        114688, ge=1024, description="The largest request body, in octets; imports have another."
    )
    max_changes_size: int = Field(
        16777216, ge=1024, description="The largest body of a list of changes, in octets: about 100,000 of them."
    )
    max_import_size: int = Field(1 << 30, ge=1024, description="The largest zone file that may be imported, in octets.")
    default_limit: int = Field(20, ge=1, description="Items on a page where the client names no limit.")
    max_limit: int = Field(1000, ge=1, description="The most items on a page.")
    maintenance_mode: bool = Field(False, description="Answer 503 to all but the maintenance role.")
    maintenance_mode_role: str = Field("admin", description="Who is served in maintenance mode.")
    healthcheck_disable_file: Path = Field(
        Path("/etc/fastmdns/healthcheck_disable"), description="While this file exists, /healthcheck says 503."
    )
    proxies: int = Field(
        0, ge=0, description="Proxies in front whose X-Forwarded-For, -Proto, -Host and -Prefix headers are believed."
    )
    cors_origins: tuple[str, ...] = Field((), description="Origins that browsers may call the API from; * is any.")
    admin_api: bool = Field(True, description="Serve the reports and quotas of /admin to admins.")

    default_ttl: int = Field(3600, ge=0, le=2147483647, description="TTL of a zone that names none.")
    min_ttl: int = Field(0, ge=0, le=2147483647, description="The least TTL that tenants may use.")
    default_pool_id: str = Field(
        "794ccc2c-d751-44fe-b57f-8894c9f5c842", description="The pool of zones that ask for no other."
    )
    soa_refresh_min: int = Field(3500, ge=1, description="The least refresh time of a new zone's SOA; it is random.")
    soa_refresh_max: int = Field(3600, ge=1, description="The longest refresh time of a new zone's SOA.")
    soa_retry: int = Field(600, ge=1, description="The retry time of a new zone's SOA.")
    soa_expire: int = Field(86400, ge=1, description="The expire time of a new zone's SOA.")
    soa_minimum: int = Field(3600, ge=0, description="The negative TTL of a new zone's SOA (RFC 2308).")
    supported_record_types: tuple[str, ...] = Field(
        (), description="The types tenants may use; empty: all that are data."
    )
    managed_resource_email: str = Field(
        "hostmaster@example.com", description="For zones without an email of their own."
    )
    managed_resource_project_id: str = Field(
        "00000000-0000-0000-0000-000000000000", description="The owner of reverse zones made for floating IPs."
    )
    floatingip_driver: Literal["none", "static", "neutron"] = Field(
        "none", description="Who says which floating IPs a project has: nobody, floatingip_file, the catalog's Neutron."
    )
    floatingip_file: Path | None = Field(
        None, description="Floating IPs in TOML: [[floatingip]] with id, address, project_id and region."
    )
    floatingip_seconds: float = Field(30, gt=0, description="How long Neutron may take to answer.")
    quota_zones: int = Field(10, description="Zones of a project; below 0: no limit. So with the other quotas.")
    quota_zone_recordsets: int = Field(500, description="Recordsets of a zone, SOA and NS included.")
    quota_zone_records: int = Field(500, description="Records of a zone that are not managed.")
    quota_recordset_records: int = Field(20, description="Records of a recordset.")
    quota_api_export_size: int = Field(1000, description="Recordsets of a zone that may be exported.")

    @field_validator("secret_key")
    @classmethod
    def _keys_are_keys(cls, text: str) -> str:
        secret_keys(text)
        return text

    @field_validator("listen", "metrics")
    @classmethod
    def _endpoints(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        try:
            for endpoint in filter(None, (value,) if isinstance(value, str) else value):
                split_endpoint(endpoint)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("keystone")
    @classmethod
    def _keystone_is_named(cls, value: dict[str, Any], known: ValidationInfo) -> dict[str, Any]:
        if known.data.get("auth") == "keystone" and not value.get("auth_url"):
            raise ValueError("auth = keystone needs a table [keystone] with auth_url")
        return value


def load(file: Path | None = None, environ: Mapping[str, str] | None = None, **values: Any) -> ControlConfig:
    """The settings in force; ConfigError names the key, where it stands and what was wrong."""
    environ = os.environ if environ is None else environ
    if file is None and environ.get(PREFIX + "CONFIG"):
        file = Path(environ[PREFIX + "CONFIG"])
    layers = [(str(file), _toml(file))] if file else []
    layers += [("environment", _environment(environ)), ("arguments", values)]
    merged: dict[str, Any] = {}
    for origin, layer in layers:
        merged |= _known(layer, origin)
    try:
        return ControlConfig(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].removeprefix('Value error, ')}"
        ) from None


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    ours = {key.removeprefix(PREFIX).lower(): value for key, value in environ.items() if key.startswith(PREFIX)}
    ours.pop("config", None)
    return {key: value.split() if _is_list(key) else value for key, value in ours.items()}


def _is_list(key: str) -> bool:
    field = ControlConfig.model_fields.get(key)
    return field is not None and str(field.annotation).startswith("tuple")


def _known(layer: Mapping[str, Any], origin: str) -> dict[str, Any]:
    known = ControlConfig.model_fields
    values: dict[str, Any] = {}
    for key, value in layer.items():
        from_file = key.endswith("_file") and key not in known and key.removesuffix("_file") in known
        target = key.removesuffix("_file") if from_file else key
        if target not in known:
            raise ConfigError(f"{origin}: unknown key {key!r}{nearest(key, known)}")
        values[target] = _content(Path(value), origin) if from_file else value
    return values


def _content(file: Path, origin: str) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{origin}: can't read {file}: {error.strerror}") from error
