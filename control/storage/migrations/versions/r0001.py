# SPDX-License-Identifier: Apache-2.0
"""The first schema: everything."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from control.storage.tables import Counter, Id, Key, LongText, Moment, Octets, Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "blacklists",
        sa.Column("id", Id, nullable=False),
        sa.Column("pattern", Words(255), nullable=False),
        sa.Column("description", Words(160), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blacklists")),
        sa.UniqueConstraint("pattern", name=op.f("uq_blacklists_pattern")),
    )
    op.create_table(
        "pools",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Words(50), nullable=False),
        sa.Column("description", Words(160), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
        sa.UniqueConstraint("name", name=op.f("uq_pools_name")),
    )
    op.create_table(
        "projects",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Words(64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
    )
    op.create_table(
        "quotas",
        sa.Column("project_id", Words(255), nullable=False),
        sa.Column("resource", Words(32), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name=op.f("pk_quotas")),
    )
    op.create_table(
        "service_statuses",
        sa.Column("id", Id, nullable=False),
        sa.Column("service_name", Words(40), nullable=False),
        sa.Column("hostname", Words(255), nullable=False),
        sa.Column("status", Words(8), nullable=False),
        sa.Column("stats", sa.JSON(), nullable=False),
        sa.Column("capabilities", sa.JSON(), nullable=False),
        sa.Column("heartbeated_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_statuses")),
        sa.UniqueConstraint("service_name", "hostname", name=op.f("uq_service_statuses_service_name_hostname")),
    )
    op.create_table(
        "tlds",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Words(255), nullable=False),
        sa.Column("name_key", Key, nullable=False),
        sa.Column("description", Words(160), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tlds")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tlds_name_key")),
    )
    op.create_table(
        "tsigkeys",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Words(160), nullable=False),
        sa.Column("name_key", Key, nullable=False),
        sa.Column("algorithm", Words(16), nullable=False),
        sa.Column("secret", Octets, nullable=False),
        sa.Column("scope", Words(8), nullable=False),
        sa.Column("resource_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tsigkeys")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tsigkeys_name_key")),
    )
    op.create_table(
        "zone_tasks",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", Words(8), nullable=False),
        sa.Column("project_id", Words(36), nullable=False),
        sa.Column("user_id", Words(255), nullable=True),
        sa.Column("request_id", Words(64), nullable=True),
        sa.Column("zone_id", Id, nullable=True),
        sa.Column("status", Words(8), nullable=False),
        sa.Column("message", Words(255), nullable=True),
        sa.Column("location", Words(255), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", Words(64), nullable=True),
        sa.Column("claimed_until", Moment, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_tasks")),
    )
    op.create_index(
        op.f("ix_zone_tasks_kind_status_created_at"), "zone_tasks", ["kind", "status", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_zone_tasks_project_id_kind_created_at_id"),
        "zone_tasks",
        ["project_id", "kind", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "pool_ns_records",
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("hostname", Words(255), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_pool_ns_records_pool_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pool_id", "hostname", name=op.f("pk_pool_ns_records")),
    )
    op.create_table(
        "task_bodies",
        sa.Column("task_id", Id, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", Octets, nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["zone_tasks.id"], name=op.f("fk_task_bodies_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "part", name=op.f("pk_task_bodies")),
    )
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Words(255), nullable=False),
        sa.Column("password", Words(255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("default_project_id", Id, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["default_project_id"], ["projects.id"], name=op.f("fk_users_default_project_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "zones",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Words(255), nullable=False),
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("name", Words(255), nullable=False),
        sa.Column("name_key", Key, nullable=False),
        sa.Column("type", Words(16), nullable=False),
        sa.Column("email", Words(255), nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=False),
        sa.Column("description", Words(160), nullable=True),
        sa.Column("mname", Words(255), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("refresh", sa.Integer(), nullable=False),
        sa.Column("retry", sa.Integer(), nullable=False),
        sa.Column("expire", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("action", Words(8), nullable=False),
        sa.Column("status", Words(8), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("rrset_count", sa.BigInteger(), nullable=False),
        sa.Column("record_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.Column("transferred_at", Moment, nullable=True),
        sa.Column("deleted", Words(36), nullable=False),
        sa.Column("deleted_at", Moment, nullable=True),
        sa.CheckConstraint("confirmed <= revision", name=op.f("ck_zones_confirmed")),
        sa.CheckConstraint("serial >= 0 AND serial < 4294967296", name=op.f("ck_zones_serial")),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_zones_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
        sa.UniqueConstraint("name_key", "pool_id", "deleted", name=op.f("uq_zones_name_key_pool_id_deleted")),
    )
    op.create_index(op.f("ix_zones_deleted_created_at_id"), "zones", ["deleted", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_zones_deleted_name_id"), "zones", ["deleted", "name", "id"], unique=False)
    op.create_index(op.f("ix_zones_deleted_status_shard"), "zones", ["deleted", "status", "shard"], unique=False)
    op.create_index(op.f("ix_zones_pool_id_deleted_id"), "zones", ["pool_id", "deleted", "id"], unique=False)
    op.create_index(
        op.f("ix_zones_project_id_deleted_created_at_id"),
        "zones",
        ["project_id", "deleted", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_zones_project_id_deleted_name_id"), "zones", ["project_id", "deleted", "name", "id"], unique=False
    )
    op.create_table(
        "application_credentials",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("name", Words(255), nullable=False),
        sa.Column("secret", Words(255), nullable=False),
        sa.Column("description", Words(255), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_application_credentials_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_application_credentials_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_credentials")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_application_credentials_user_id_name")),
    )
    op.create_table(
        "assignments",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("role", Words(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_assignments_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_assignments_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "project_id", "role", name=op.f("pk_assignments")),
    )
    op.create_table(
        "journal",
        sa.Column("id", Counter, autoincrement=True, nullable=False),
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", Words(8), nullable=False),
        sa.Column("from_serial", sa.BigInteger(), nullable=False),
        sa.Column("to_serial", sa.BigInteger(), nullable=False),
        sa.Column("removed", Octets, nullable=False),
        sa.Column("added", Octets, nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("removed_count", sa.Integer(), nullable=False),
        sa.Column("added_count", sa.Integer(), nullable=False),
        sa.Column("project_id", Words(255), nullable=True),
        sa.Column("user_id", Words(255), nullable=True),
        sa.Column("request_id", Words(64), nullable=True),
        sa.Column("note", Words(160), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_journal_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("zone_id", "revision", name=op.f("uq_journal_zone_id_revision")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", Counter, autoincrement=True, nullable=False),
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("kind", Words(16), nullable=False),
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("request_id", Words(64), nullable=True),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_outbox_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_due_at_id"), "outbox", ["due_at", "id"], unique=False)
    op.create_index(op.f("ix_outbox_zone_id_kind"), "outbox", ["zone_id", "kind"], unique=False)
    op.create_table(
        "rrsets",
        sa.Column("id", Id, nullable=False),
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("owner_id", Words(255), nullable=False),
        sa.Column("project_id", Words(255), nullable=False),
        sa.Column("name", Words(255), nullable=False),
        sa.Column("name_key", Key, nullable=False),
        sa.Column("rrtype", sa.Integer(), nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=True),
        sa.Column("description", Words(160), nullable=True),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("action", Words(8), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_rrsets_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rrsets")),
        sa.UniqueConstraint("zone_id", "name_key", "rrtype", name=op.f("uq_rrsets_zone_id_name_key_rrtype")),
    )
    op.create_index(op.f("ix_rrsets_created_at_id"), "rrsets", ["created_at", "id"], unique=False)
    op.create_index(op.f("ix_rrsets_owner_id_created_at_id"), "rrsets", ["owner_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_rrsets_owner_id_name_id"), "rrsets", ["owner_id", "name", "id"], unique=False)
    op.create_index(op.f("ix_rrsets_owner_id_name_key"), "rrsets", ["owner_id", "name_key"], unique=False)
    op.create_index(op.f("ix_rrsets_project_id_zone_id"), "rrsets", ["project_id", "zone_id"], unique=False)
    op.create_index(op.f("ix_rrsets_zone_id_created_at_id"), "rrsets", ["zone_id", "created_at", "id"], unique=False)
    op.create_table(
        "shared_zones",
        sa.Column("id", Id, nullable=False),
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("project_id", Words(36), nullable=False),
        sa.Column("target_project_id", Words(36), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_shared_zones_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_zones")),
        sa.UniqueConstraint(
            "zone_id",
            "project_id",
            "target_project_id",
            name=op.f("uq_shared_zones_zone_id_project_id_target_project_id"),
        ),
    )
    op.create_index(
        op.f("ix_shared_zones_target_project_id_zone_id"),
        "shared_zones",
        ["target_project_id", "zone_id"],
        unique=False,
    )
    op.create_table(
        "transfer_requests",
        sa.Column("id", Id, nullable=False),
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("project_id", Words(36), nullable=False),
        sa.Column("target_project_id", Words(36), nullable=True),
        sa.Column("key", Words(8), nullable=False),
        sa.Column("description", Words(160), nullable=True),
        sa.Column("status", Words(8), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_transfer_requests_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_requests")),
    )
    op.create_index(
        op.f("ix_transfer_requests_project_id_created_at_id"),
        "transfer_requests",
        ["project_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_transfer_requests_target_project_id_created_at_id"),
        "transfer_requests",
        ["target_project_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_transfer_requests_zone_id_status"), "transfer_requests", ["zone_id", "status"], unique=False
    )
    op.create_table(
        "zone_attributes",
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("key", Words(50), nullable=False),
        sa.Column("value", Words(50), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_zone_attributes_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone_id", "key", name=op.f("pk_zone_attributes")),
    )
    op.create_table(
        "zone_masters",
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("host", Words(64), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_zone_masters_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone_id", "position", name=op.f("pk_zone_masters")),
    )
    op.create_table(
        "floatingip_ptrs",
        sa.Column("region", Words(100), nullable=False),
        sa.Column("floatingip_id", Id, nullable=False),
        sa.Column("address", Words(45), nullable=False),
        sa.Column("project_id", Words(255), nullable=False),
        sa.Column("rrset_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["rrset_id"], ["rrsets.id"], name=op.f("fk_floatingip_ptrs_rrset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region", "floatingip_id", name=op.f("pk_floatingip_ptrs")),
        sa.UniqueConstraint("rrset_id", name=op.f("uq_floatingip_ptrs_rrset_id")),
    )
    op.create_index(op.f("ix_floatingip_ptrs_project_id"), "floatingip_ptrs", ["project_id"], unique=False)
    op.create_table(
        "journal_parts",
        sa.Column("journal_id", Counter, autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("removed", Octets, nullable=False),
        sa.Column("added", Octets, nullable=False),
        sa.ForeignKeyConstraint(
            ["journal_id"], ["journal.id"], name=op.f("fk_journal_parts_journal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journal_id", "part", name=op.f("pk_journal_parts")),
    )
    op.create_table(
        "records",
        sa.Column("rrset_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner_id", Words(255), nullable=False),
        sa.Column("data", LongText, nullable=False),
        sa.Column("data_head", Words(64), nullable=False),
        sa.Column("wire", Octets, nullable=False),
        sa.ForeignKeyConstraint(["rrset_id"], ["rrsets.id"], name=op.f("fk_records_rrset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("rrset_id", "position", name=op.f("pk_records")),
    )
    op.create_index(op.f("ix_records_data_head_rrset_id"), "records", ["data_head", "rrset_id"], unique=False)
    op.create_index(
        op.f("ix_records_owner_id_data_head_rrset_id"), "records", ["owner_id", "data_head", "rrset_id"], unique=False
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.LargeBinary(32).with_variant(mysql.BINARY(32), "mysql", "mariadb"), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", Words(8), nullable=False),
        sa.Column("name", Words(255), nullable=True),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=True),
        sa.Column("credential_id", Id, nullable=True),
        sa.Column("roles", sa.JSON(), nullable=True),
        sa.Column("scope", sa.JSON(), nullable=True),
        sa.Column("methods", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("used_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["application_credentials.id"], name=op.f("fk_tokens_credential_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tokens_project_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tokens")),
        sa.UniqueConstraint("id", name=op.f("uq_tokens_id")),
    )
    op.create_index(op.f("ix_tokens_credential_id"), "tokens", ["credential_id"], unique=False)
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_tokens_project_id_kind_created_at_id"),
        "tokens",
        ["project_id", "kind", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)
    op.create_table(
        "transfer_accepts",
        sa.Column("id", Id, nullable=False),
        sa.Column("zone_id", Id, nullable=False),
        sa.Column("transfer_request_id", Id, nullable=False),
        sa.Column("project_id", Words(36), nullable=False),
        sa.Column("status", Words(8), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["transfer_request_id"],
            ["transfer_requests.id"],
            name=op.f("fk_transfer_accepts_transfer_request_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_transfer_accepts_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_accepts")),
    )
    op.create_index(
        op.f("ix_transfer_accepts_project_id_created_at_id"),
        "transfer_accepts",
        ["project_id", "created_at", "id"],
        unique=False,
    )
