# SPDX-License-Identifier: Apache-2.0
"""Every table, once. A rule that a constraint can hold is a constraint here.

Owner names stand twice: as given, and as `name_key`, the canonical order of RFC 4034 §6.1 as octets. It makes names
unique whatever their case, and turns "below this name" into a range of one index. Times are naive UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

DATA_HEAD = 64  # how much of a record's text is indexed
ALIVE = "0"  # zones.deleted while the zone lives, then its id: so a name can be used again

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# What the three databases call the same thing. Text is compared by octets everywhere: a name has its own key.
Moment = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
Octets = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
Key = LargeBinary().with_variant(mysql.VARBINARY(512), "mysql", "mariadb")
Counter = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")  # SQLite counts only in INTEGER


def Words(size: int) -> TypeEngine[str]:  # noqa: N802  a type, as Key and Moment are
    """Text up to so many characters, ordered and compared octet by octet."""
    return (
        String(size)
        .with_variant(mysql.VARCHAR(size, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
        .with_variant(postgresql.VARCHAR(size, collation="C"), "postgresql")
    )


LongText = Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
Id = Words(36)


def _id() -> Column[str]:
    return Column("id", Id, primary_key=True)


def _times() -> tuple[Column[object], Column[object]]:
    return Column("created_at", Moment, nullable=False), Column("updated_at", Moment)


def _of_zone(primary_key: bool = False) -> Column[str]:
    return Column("zone_id", Id, ForeignKey("zones.id", ondelete="CASCADE"), nullable=False, primary_key=primary_key)


def _of_pool(primary_key: bool = False) -> Column[str]:
    return Column("pool_id", Id, ForeignKey("pools.id", ondelete="CASCADE"), nullable=False, primary_key=primary_key)


# ------------------------------------------------------------------------------------------------------------- pools

pools = Table(
    "pools",
    metadata,
    _id(),
    Column("name", Words(50), nullable=False, unique=True),
    Column("description", Words(160)),
    Column("attributes", JSON, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    *_times(),
)

pool_ns_records = Table(
    "pool_ns_records",
    metadata,
    _of_pool(primary_key=True),
    Column("hostname", Words(255), primary_key=True),
    Column("priority", Integer, nullable=False),
)

# ------------------------------------------------------------------------------------------------------------- zones

zones = Table(
    "zones",
    metadata,
    _id(),
    Column("project_id", Words(255), nullable=False),
    Column("pool_id", Id, ForeignKey("pools.id"), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("name_key", Key, nullable=False),
    Column("type", Words(16), nullable=False),
    Column("email", Words(255), nullable=False),
    Column("ttl", Integer, nullable=False),
    Column("description", Words(160)),
    Column("mname", Words(255), nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("refresh", Integer, nullable=False),
    Column("retry", Integer, nullable=False),
    Column("expire", Integer, nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("action", Words(8), nullable=False),
    Column("status", Words(8), nullable=False),
    Column("shard", SmallInteger, nullable=False),  # 0 to 4095
    Column("version", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("confirmed", BigInteger, nullable=False),
    Column("rrset_count", BigInteger, nullable=False),
    Column("record_count", BigInteger, nullable=False),
    *_times(),
    Column("transferred_at", Moment),
    Column("deleted", Words(36), nullable=False, default=ALIVE),
    Column("deleted_at", Moment),
    UniqueConstraint("name_key", "pool_id", "deleted"),
    CheckConstraint("serial >= 0 AND serial < 4294967296", name="serial"),
    CheckConstraint("confirmed <= revision", name="confirmed"),
    # Each list of the API is walked along one of these.
    Index(None, "project_id", "deleted", "created_at", "id"),
    Index(None, "project_id", "deleted", "name", "id"),
    Index(None, "deleted", "created_at", "id"),
    Index(None, "deleted", "name", "id"),
    Index(None, "pool_id", "deleted", "id"),
    Index(None, "deleted", "status", "shard"),
)

zone_attributes = Table(
    "zone_attributes",
    metadata,
    _of_zone(primary_key=True),
    Column("key", Words(50), primary_key=True),
    Column("value", Words(50), nullable=False),
)

zone_masters = Table(
    "zone_masters",
    metadata,
    _of_zone(primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("host", Words(64), nullable=False),  # an IPv6 address with a scope takes 56
    Column("port", Integer, nullable=False),
)

shared_zones = Table(
    "shared_zones",
    metadata,
    _id(),
    _of_zone(),
    Column("project_id", Words(36), nullable=False),
    Column("target_project_id", Words(36), nullable=False),
    *_times(),
    UniqueConstraint("zone_id", "project_id", "target_project_id"),
    Index(None, "target_project_id", "zone_id"),
)

# ------------------------------------------------------------------------------------------------ rrsets and records

rrsets = Table(
    "rrsets",
    metadata,
    _id(),
    _of_zone(),
    Column("owner_id", Words(255), nullable=False),  # the zone's project
    Column("project_id", Words(255), nullable=False),  # whose request made it; another one in shared zones
    Column("name", Words(255), nullable=False),
    Column("name_key", Key, nullable=False),
    Column("rrtype", Integer, nullable=False),
    Column("ttl", Integer),
    Column("description", Words(160)),
    Column("managed", Boolean, nullable=False),
    Column("action", Words(8), nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    *_times(),
    UniqueConstraint("zone_id", "name_key", "rrtype"),
    Index(None, "created_at", "id"),
    Index(None, "zone_id", "created_at", "id"),
    Index(None, "owner_id", "created_at", "id"),
    Index(None, "owner_id", "name", "id"),
    Index(None, "owner_id", "name_key"),
    Index(None, "project_id", "zone_id"),
)

records = Table(
    "records",
    metadata,
    Column("rrset_id", Id, ForeignKey("rrsets.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("owner_id", Words(255), nullable=False),
    Column("data", LongText, nullable=False),
    Column("data_head", Words(DATA_HEAD), nullable=False),
    Column("wire", Octets, nullable=False),
    Index(None, "owner_id", "data_head", "rrset_id"),
    Index(None, "data_head", "rrset_id"),
)

# ------------------------------------------------------------------------------------ what changed, and what is to do

journal = Table(
    "journal",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    _of_zone(),
    Column("revision", BigInteger, nullable=False),
    Column("kind", Words(8), nullable=False),  # change; whole: all of the zone's rrsets as they are now
    Column("from_serial", BigInteger, nullable=False),
    Column("to_serial", BigInteger, nullable=False),
    Column("removed", Octets, nullable=False),  # records as wire, the SOA first (see journal.py)
    Column("added", Octets, nullable=False),
    Column("parts", Integer, nullable=False),  # how many rows of journal_parts go on with them
    Column("removed_count", Integer, nullable=False, default=0),  # records, but for the SOA
    Column("added_count", Integer, nullable=False, default=0),
    Column("project_id", Words(255)),
    Column("user_id", Words(255)),
    Column("request_id", Words(64)),
    Column("note", Words(160)),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("zone_id", "revision"),
)

journal_parts = Table(
    "journal_parts",
    metadata,
    Column("journal_id", Counter, ForeignKey("journal.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("removed", Octets, nullable=False),
    Column("added", Octets, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    _of_zone(),
    Column("kind", Words(16), nullable=False),
    Column("pool_id", Id, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("options", JSON, nullable=False),
    Column("request_id", Words(64)),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Moment, nullable=False),
    Index(None, "due_at", "id"),
    Index(None, "zone_id", "kind"),
)

# --------------------------------------------------------------------------------------------- transfers and tasks

transfer_requests = Table(
    "transfer_requests",
    metadata,
    _id(),
    _of_zone(),
    Column("project_id", Words(36), nullable=False),
    Column("target_project_id", Words(36)),
    Column("key", Words(8), nullable=False),
    Column("description", Words(160)),
    Column("status", Words(8), nullable=False),
    *_times(),
    Index(None, "zone_id", "status"),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "target_project_id", "created_at", "id"),
)

transfer_accepts = Table(
    "transfer_accepts",
    metadata,
    _id(),
    _of_zone(),
    Column("transfer_request_id", Id, ForeignKey("transfer_requests.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", Words(36), nullable=False),
    Column("status", Words(8), nullable=False),
    *_times(),
    Index(None, "project_id", "created_at", "id"),
)

# Imports and exports. The zone may be gone, or not there yet.
zone_tasks = Table(
    "zone_tasks",
    metadata,
    _id(),
    Column("kind", Words(8), nullable=False),  # IMPORT, EXPORT
    Column("project_id", Words(36), nullable=False),
    Column("user_id", Words(255)),
    Column("request_id", Words(64)),
    Column("zone_id", Id),
    Column("status", Words(8), nullable=False),
    Column("message", Words(255)),
    Column("location", Words(255)),
    Column("options", JSON, nullable=False),
    Column("done", BigInteger, nullable=False, default=0),  # of the octets, for progress
    Column("octets", BigInteger, nullable=False, default=0),
    Column("claimed_by", Words(64)),
    Column("claimed_until", Moment),
    Column("version", Integer, nullable=False),
    *_times(),
    Index(None, "project_id", "kind", "created_at", "id"),
    Index(None, "kind", "status", "created_at"),
)

task_bodies = Table(
    "task_bodies",
    metadata,
    Column("task_id", Id, ForeignKey("zone_tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("data", Octets, nullable=False),
)

# ----------------------------------------------------------------------------------------------- what operators keep

tlds = Table(
    "tlds",
    metadata,
    _id(),
    Column("name", Words(255), nullable=False),
    Column("name_key", Key, nullable=False, unique=True),
    Column("description", Words(160)),
    *_times(),
)

blacklists = Table(
    "blacklists",
    metadata,
    _id(),
    Column("pattern", Words(255), nullable=False, unique=True),
    Column("description", Words(160)),
    *_times(),
)

tsigkeys = Table(
    "tsigkeys",
    metadata,
    _id(),
    Column("name", Words(160), nullable=False),
    Column("name_key", Key, nullable=False, unique=True),
    Column("algorithm", Words(16), nullable=False),
    Column("secret", Octets, nullable=False),  # sealed, see secrets.py
    Column("scope", Words(8), nullable=False),
    Column("resource_id", Id, nullable=False),
    *_times(),
)

quotas = Table(
    "quotas",
    metadata,
    Column("project_id", Words(255), primary_key=True),
    Column("resource", Words(32), primary_key=True),
    Column("limit", Integer, nullable=False),  # below 0: none
)

service_statuses = Table(
    "service_statuses",
    metadata,
    _id(),
    Column("service_name", Words(40), nullable=False),
    Column("hostname", Words(255), nullable=False),
    Column("status", Words(8), nullable=False),
    Column("stats", JSON, nullable=False),
    Column("capabilities", JSON, nullable=False),
    Column("heartbeated_at", Moment, nullable=False),
    *_times(),
    UniqueConstraint("service_name", "hostname"),
)

floatingip_ptrs = Table(
    "floatingip_ptrs",
    metadata,
    Column("region", Words(100), primary_key=True),
    Column("floatingip_id", Id, primary_key=True),
    Column("address", Words(45), nullable=False),
    Column("project_id", Words(255), nullable=False),
    Column("rrset_id", Id, ForeignKey("rrsets.id", ondelete="CASCADE"), nullable=False, unique=True),
    Index(None, "project_id"),
)

# ---------------------------------------------------------------------------------------------- the built-in identity

projects = Table(
    "projects",
    metadata,
    _id(),
    Column("name", Words(64), nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("name", Words(255), nullable=False, unique=True),
    Column("password", Words(255), nullable=False),  # argon2id
    Column("enabled", Boolean, nullable=False),
    Column("default_project_id", Id, ForeignKey("projects.id", ondelete="SET NULL")),
    Column("created_at", Moment, nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Words(16), primary_key=True),
)

application_credentials = Table(
    "application_credentials",
    metadata,
    _id(),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("secret", Words(255), nullable=False),  # argon2id
    Column("description", Words(255)),
    Column("roles", JSON, nullable=False),
    Column("expires_at", Moment),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("user_id", "name"),
)

# Session tokens (kind session) and those for machines (kind api), by the SHA-256 of what the client holds.
tokens = Table(
    "tokens",
    metadata,
    Column("digest", LargeBinary(32).with_variant(mysql.BINARY(32), "mysql", "mariadb"), primary_key=True),
    Column("id", Id, nullable=False, unique=True),
    Column("kind", Words(8), nullable=False),
    Column("name", Words(255)),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", Id, ForeignKey("projects.id", ondelete="CASCADE")),
    Column("credential_id", Id, ForeignKey("application_credentials.id", ondelete="CASCADE")),
    Column("roles", JSON),  # the most it may have of its user's roles; null: all of them
    Column("scope", JSON),  # what it may do, and from where; null: all that its roles may
    Column("methods", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("used_at", Moment),
    Index(None, "expires_at"),
    Index(None, "user_id"),
    Index(None, "credential_id"),
    Index(None, "project_id", "kind", "created_at", "id"),
)
