"""One micro-batch: touched people and due timers through the compiled models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from orchestration.live.statements import SEEDS, Statements
from orchestration.live.store import LiveStore
from orchestration.live.tables import fill, make_tables
from orchestration.live.touched import (
    CLOCK,
    gather_customers,
    gather_identities,
    prepare_touched,
    touch,
    untouch,
)

Row = dict[str, Any]
Overrides = Mapping[tuple[str, str, str], str]
"""(seed, row key, column) -> value, as in `--set thresholds.cart_abandonment.min_seconds=300`."""


_UNDECIDED = "candidate_id not in (select candidate_id from temp.main.of_touched_decided)"
_STEPS = {
    "clear_timers": "delete from live.timers where visitor_id in (select visitor_id from live.touched)",
    "set_timers": f"""
        insert into live.timers
        select visitor_id, min(qualifies_at)
        from main.int_trigger_moments
        where qualifies_at > {CLOCK} and qualifies_at < valid_to and {_UNDECIDED}
        group by visitor_id
        """,
    "new_candidate": f"""
        select 1 from main.int_trigger_moments
        where qualifies_at <= {CLOCK} and qualifies_at < valid_to and {_UNDECIDED}
        limit 1
        """,
    "remember": """
        insert into live.decided
        select decision_id, coalesce(customer_id, visitor_id), sequence_id, trigger_name, visitor_id,
            qualifies_at, priority, should_send
        from main.fct_send_decisions
        """,
    "decisions": "select * from main.fct_send_decisions order by qualifies_at, priority, decision_id",
}
"""What comes between and after the models, planned once like them."""


class UnknownSetting(ValueError):
    """An override names a seed, row or column that does not exist."""


def load_models(store: LiveStore, statements: Statements, overrides: Overrides | None = None) -> None:
    """Make the database ready for these models: their seeds, with overrides, their tables, and all plans.

    Raises UnknownSetting for an override of nothing, duckdb.Error for a model that cannot run.
    """
    _load_seeds(store, statements, overrides)
    prepare_touched(store)
    make_tables(store, statements)
    for name, sql in _STEPS.items():
        store.prepare(name, sql, once=True)
    switches = {statement.switch for statement in statements.decide if statement.switch}
    store.switched_off = {switch for switch in switches if not _is_on(store, switch)}


def _load_seeds(store: LiveStore, statements: Statements, overrides: Overrides | None) -> None:
    for name in SEEDS:
        types = statements.seed_types[name]
        casts = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
        options = f", types = {{{casts}}}" if casts else ""
        store.execute(
            f"create or replace table seeds.{name} as select * from read_csv(?, header = true{options})",
            [str(statements.seeds[name])],
        )
    for (seed, key, column), value in (overrides or {}).items():
        _override(store, seed, key, column, value)


def _is_on(store: LiveStore, switch: str) -> bool:
    """`seed` wants any row of it enabled, `seed.key` that row."""
    seed, _, key = switch.partition(".")
    enabled = {row[0] for row in store.execute(f"select * from seeds.{seed} where is_enabled").fetchall()}
    return key in enabled if key else bool(enabled)


def _override(store: LiveStore, seed: str, key: str, column: str, value: str) -> None:
    columns = (
        [row["name"] for row in store.rows(f"select name from pragma_table_info('seeds.{seed}')")]
        if seed in SEEDS
        else []
    )
    if column not in columns:
        allowed = ", ".join(columns) if columns else f"seeds are {', '.join(SEEDS)}"
        raise UnknownSetting(f"cannot set {seed}.{key}.{column}: {allowed}")
    try:
        store.execute(f"select cast(? as {_kind(store, seed, column)})", [value]).fetchall()
    except duckdb.Error:
        raise UnknownSetting(f"{seed}.{key}.{column}: '{value}' is no {_kind(store, seed, column)}") from None
    changed = store.execute(
        f'update seeds.{seed} set "{column}" = ? where {columns[0]} = ? returning 1', [value, key]
    ).fetchall()
    if not changed:
        keys = ", ".join(
            row["k"] for row in store.rows(f"select distinct {columns[0]} as k from seeds.{seed} order by 1")
        )
        raise UnknownSetting(f"{seed} has no row '{key}'; rows are {keys}")


def _kind(store: LiveStore, seed: str, column: str) -> str:
    rows = store.rows("select name, type from pragma_table_info(?)", [f"seeds.{seed}"])
    return next(row["type"] for row in rows if row["name"] == column)


def evaluate(
    store: LiveStore, statements: Statements, events: pl.DataFrame, as_of: datetime, everyone: bool = False
) -> list[Row]:
    """Judge everything that ripened up to `as_of` (naive UTC); returns the new decisions, refused ones too.

    Runs inside the caller's transaction, after `load_models`. Decisions come in the order in which they qualified.
    """
    if events.height:
        store.insert("landing.events", events)
    happened = touch(store, as_of) | store.published
    *probe, candidates = statements.probe
    for statement in probe:
        fill(store, statement, happened, everyone)
    store.run("clear_timers")
    store.run("set_timers")
    if not store.run("new_candidate").fetchall():  # most micro-batches end here
        return []
    gather_customers(store)
    for statement in (candidates, *statements.decide):
        fill(store, statement, happened, everyone)
    store.run("remember")
    return store.rows_of(store.run("decisions"))


def rehearse(store: LiveStore, statements: Statements) -> None:
    """Run every statement once, on whatever is there; raises duckdb.Error for what cannot run."""
    store.switched_off = set()
    for statement in (*statements.probe, *statements.decide):
        fill(store, statement, happened=set(statement.needs))


def evaluate_everyone(store: LiveStore, statements: Statements, as_of: datetime) -> list[Row]:
    """Judge all visitors at once, as after a rebuild: the same models, the same rows."""
    store.execute("delete from live.timers; delete from live.decided;")
    store.execute(
        "insert into live.timers select distinct visitor_id, ?::timestamp from landing.events", [as_of]
    )
    store.execute("set threads = 2")  # everyone at once is worth a second thread, a micro-batch is not
    try:
        return evaluate(store, statements, pl.DataFrame(), as_of, everyone=True)
    finally:
        store.execute("set threads = 1")


def forget(store: LiveStore, statements: Statements, before: datetime, keep_decisions_after: datetime) -> int:
    """Drop visitors not seen since `before`; what they told about themselves moves to the customer base.

    Returns the number of events dropped. The models start such visitors afresh anyway (episode_gap_hours).
    Who waits for the next email of a sequence stays, with all devices: what any of them did may end it.
    """
    untouch(store)
    store.execute(
        "insert into live.touched select visitor_id from landing.events "
        "where event is null or event not like 'Suppression %' group by visitor_id "
        "having max(received_at) < ? and visitor_id not in (select visitor_id from live.timers)",
        [before],
    )
    store.execute(
        "delete from live.touched where visitor_id in (select visitor_id from landing.events where user_id in "
        "(select user_id from landing.events where visitor_id in (select visitor_id from live.timers)))"
    )
    store.execute(
        "insert into live.touched_customers select distinct user_id from landing.events "
        "where type = 'identify' and visitor_id in (select visitor_id from live.touched)"
    )
    gather_identities(store)
    _fold_customers(store, statements)
    dropped = store.execute(
        "delete from landing.events where visitor_id in (select visitor_id from live.touched) "
        "and (event is null or event not like 'Suppression %') returning 1"
    ).fetchall()
    store.execute("delete from live.timers where visitor_id in (select visitor_id from live.touched)")
    store.execute("delete from live.decided where qualifies_at < ?", [keep_decisions_after])
    untouch(store)
    return len(dropped)


def _fold_customers(store: LiveStore, statements: Statements) -> None:
    columns = "customer_id, email, has_consent, first_name, tier, loyalty_points, timezone, locale, country, valid_from"
    store.execute(
        f"create or replace temp table folded as select {columns} from ({statements.fold}) "
        "where valid_to is null"
    )
    store.execute("delete from profiles.customers where customer_id in (select customer_id from folded)")
    store.execute(f"insert into profiles.customers ({columns}) select {columns} from folded")
