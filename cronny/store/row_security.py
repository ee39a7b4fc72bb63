"""Row-level security: on PostgreSQL a session for a tenant sees and writes only what is that tenant's.

Repositories say `where tenant_id = …` all the same; this is for the day on which one of them does not. SQLite
has no such thing.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

ROLE = "cronny_tenant"  # without a login; it belongs to all databases of a server
SETTING = "cronny.tenant"  # the id of the tenant for whom a transaction is

OWNER = f"(select current_setting('{SETTING}', true))"  # evaluated once in a statement, not for each row
# As a case, of which PostgreSQL supposes that half of the rows pass. Of a second comparison beside the
# query's own it supposes that few pass both, and sorts all rows of a schedule for a page: 86 instead of 6 ms
# at 144 000 triggers. A case finds no index, which is the business of the query's own `where tenant_id = …`.
OWN = f"case when tenant_id = {OWNER} then true else false end"
READ, ADD, CHANGE, ALL = (
    "select",
    "select, insert",
    "select, insert, update",
    "select, insert, update, delete",
)

# To the end of the transaction, whatever becomes of it: a connection that is used again is the owner's.
_NARROW = text(f"select set_config('role', '{ROLE}', true), set_config('{SETTING}', :tenant, true)")

# The role is made once for a server, maybe by the migrations of two databases at the same time.
_MAKE_ROLE = f"""
do $$
declare
    version int := current_setting('server_version_num');
    needed text := case when version >= 160000 then 'SET' else 'MEMBER' end;
begin
    if not exists (select from pg_roles where rolname = '{ROLE}') then
        begin
            create role {ROLE} nologin;
        exception when duplicate_object or unique_violation then
            null;
        end;
    end if;
    if not pg_has_role(current_user, '{ROLE}', needed) then
        begin
            execute format('grant {ROLE} to %I', current_user);
        exception when unique_violation then
            null;
        end;
    end if;
exception when insufficient_privilege then
    raise exception using message = format(
        'the user %1$I may not make the role {ROLE}, for which row-level security is: let an administrator '
        'of the server run `create role {ROLE} nologin` unless there is one, and `grant {ROLE} to %1$I`, '
        'then start again', current_user);
end $$
"""


class NarrowSession(Session):
    """A session each of whose transactions is its tenant's, if it has one; not only the first one."""


def narrowing(tenant_id: str) -> dict[str, str]:
    """The `info` of a session that is this tenant's from its first statement on."""
    return {SETTING: tenant_id}


async def narrow(session: AsyncSession, tenant_id: str) -> None:
    """Let a session that has found out whose it is see and write only what is that tenant's from now on.

    Raises ValueError if it was another tenant's.
    """
    if session.info.setdefault(SETTING, tenant_id) != tenant_id:
        raise ValueError("a session cannot pass from one tenant to another")
    await (await session.connection()).run_sync(_narrow, tenant_id)


@event.listens_for(NarrowSession, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    tenant_id = session.info.get(SETTING)
    if tenant_id is not None and not transaction.nested:  # a savepoint is within what was narrowed
        _narrow(connection, tenant_id)


def _narrow(connection: Connection, tenant_id: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_NARROW, {"tenant": tenant_id})


def make_role(execute: Callable[[str], object]) -> None:
    """Have the role, and let the present user become it; for migrations."""
    execute(_MAKE_ROLE)
    execute(f"do $$ begin execute format('grant usage on schema %I to {ROLE}', current_schema()); end $$")


def protect(execute: Callable[[str], object], table: str, rights: str, condition: str = OWN) -> None:
    """Let the role have these rights to the rows of a table that a condition holds for; for migrations."""
    execute(f'alter table "{table}" enable row level security')
    execute(f'grant {rights} on table "{table}" to {ROLE}')
    execute(f'create policy {table}_of_tenant on "{table}" to {ROLE} using ({condition})')


def through(parent: str, key: str, column: str) -> str:
    """The condition that a row belongs to a row of another table, which the transaction can see."""
    return f'exists (select from "{parent}" as parent where parent.{key} = {column})'


def protect_all(execute: Callable[[str], object], tables: Mapping[str, Sequence[str]]) -> None:
    """Protect tables, each by its rights and, where it is not its tenant's id, by its condition."""
    make_role(execute)
    for table, how in tables.items():
        protect(execute, table, *how)
