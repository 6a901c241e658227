"""When would a trigger have fired, and what came after it? Asked of the trigger's own model, for a whole grid at once.

The model reads `seeds.thresholds`; here that is a table with one row per cell, told apart by `epoch`. So "would
fire" has one definition, the one that sends emails.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb

from orchestration.calibration.grids import Grid

# Under this name no compiled SQL knows the file: whatever it reads goes through the views below.
_FILE = "built"
_TRIED = ("thresholds", "routes")
_NEEDED = {
    "int_visitor_events", "int_visitor_owners", "int_customer_states", "fct_orders", "stg_kairos__receipts",
}  # fmt: skip


class NotBuilt(RuntimeError):
    """The warehouse lacks a model that this reads."""


def open_warehouse(file: Path) -> duckdb.DuckDBPyConnection:
    """An empty database that sees the models of `file`; nothing is ever written there.

    Raises duckdb.IOException while another process writes to the file, NotBuilt where a model is missing.
    """
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"attach '{str(file).replace(chr(39), chr(39) * 2)}' as {_FILE} (read_only)")
    connection.execute("create schema seeds")
    found = [pair for pair in _relations(connection) if pair[1] not in _TRIED]
    seen = {name for schema, name in found if _mirror(connection, schema, name)}
    if missing := _NEEDED - seen:
        connection.close()
        raise NotBuilt(f"the warehouse lacks {', '.join(sorted(missing))}")
    return connection


def _relations(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $1 and schema_name in ('main', 'seeds') "
        "union all select schema_name, view_name from duckdb_views() where database_name = $1 and schema_name = 'main' "
        "and not internal and not starts_with(view_name, 'trg_')",
        [_FILE],
    ).fetchall()


def _mirror(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether it could be read: a view of an older version of the project may not."""
    try:
        connection.execute(f"create view {schema}.{name} as select * from {_FILE}.{schema}.{name}")
    except duckdb.Error:
        return False
    return True


def find_moments(connection: duckdb.DuckDBPyConnection, grid: Grid, within: timedelta) -> None:
    """Make the table `moments`: one row per cell and moment that fired, with what followed `within`.

    Columns: cell, visitor_id, person_id, fired_at (UTC without zone), has_returned, has_ordered, is_watched (it was
    observed that long) and is_unmailed (we could not have mailed this person).
    """
    _try_thresholds(connection, grid)
    connection.execute(
        "create or replace table trial as select $1 as within_seconds", [within.total_seconds()]
    )
    connection.execute(_MOMENTS.format(trigger=grid.trigger))


def _try_thresholds(connection: duckdb.DuckDBPyConnection, grid: Grid) -> None:
    """The seeds as they would be with every cell in force, and the trigger's view on top of them."""
    connection.execute("create or replace table cells (cell integer, group_value double, value double)")
    cells = [(cell.number, cell.group, cell.value) for cell in grid.cells()]
    connection.executemany("insert into cells values (?, ?, ?)", cells)
    changed = f"cells.cell as epoch, true as is_enabled, cells.value as {grid.column}"
    if grid.group_column:
        changed += f", cells.group_value as {grid.group_column}"
    connection.execute(
        f"create or replace table seeds.thresholds as select thresholds.* replace ({changed}) "
        f"from {_FILE}.seeds.thresholds cross join cells where trigger_name = '{grid.trigger}'"
    )
    # A branch's own patience would hide the silence that is tried.
    connection.execute(
        "create or replace table seeds.routes as "
        f"select * replace (cast(null as double) as min_seconds) from {_FILE}.seeds.routes"
    )
    connection.execute(_view(connection, f"trg_{grid.trigger}"))


def _view(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    found = connection.execute(
        f"select sql from duckdb_views() where database_name = '{_FILE}' and view_name = ?", [name]
    ).fetchone()
    if found is None:
        raise NotBuilt(f"the warehouse has no view {name}")
    return found[0].replace("CREATE VIEW", "create or replace view", 1)


# As in fct_trigger_candidates: the first state of an entity that still stood when it ripened.
_MOMENTS = """
create or replace table moments as
with

fired as (

    select
        epoch as cell,
        visitor_id,
        entity_id,
        arg_min(customer_id, qualifies_at) as customer_id,
        min(qualifies_at) as fired_at
    from trg_{trigger}
    where qualifies_at < coalesce(valid_to, timestamp '9999-12-31')
    group by epoch, visitor_id, entity_id

),

people as (

    select
        fired.*,
        coalesce(fired.customer_id, owners.customer_id, fired.visitor_id) as person_id,
        fired_at + to_seconds(trial.within_seconds) as watched_until
    from fired
    cross join trial
    left join int_visitor_owners as owners on fired.visitor_id = owners.visitor_id

),

observed as (

    select
        min(events.received_at) as since,
        max(events.received_at) as until,
        (select min(received_at) from stg_kairos__receipts where outcome = 'sent') as first_email_at
    from int_visitor_events as events

),

followed as (

    select
        people.*,
        coalesce(events.received_at <= people.watched_until, false) as has_returned
    from people
    asof left join int_visitor_events as events
        on people.visitor_id = events.visitor_id and people.fired_at < events.received_at

),

ordered as (

    select
        followed.*,
        coalesce(orders.ordered_at <= followed.watched_until, false) as has_ordered
    from followed
    asof left join fct_orders as orders
        on followed.person_id = orders.person_id and followed.fired_at <= orders.ordered_at

)

select
    ordered.cell,
    ordered.visitor_id,
    ordered.person_id,
    ordered.fired_at,
    ordered.has_returned or ordered.has_ordered as has_returned,
    ordered.has_ordered,
    ordered.watched_until <= observed.until as is_watched,
    -- Before our first email, or without address or consent: known before the moment, so it selects nobody by outcome.
    observed.first_email_at is null
    or ordered.watched_until <= observed.first_email_at
    or not coalesce(states.email is not null and states.has_consent, false) as is_unmailed

from ordered
cross join observed
asof left join int_customer_states as states
    on ordered.customer_id = states.customer_id and ordered.fired_at >= states.valid_from
"""
