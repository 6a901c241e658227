"""One temporary table per model, made once and filled anew in each micro-batch by a statement that is planned once.

Planning costs a model several times what running it on a handful of rows does (docs/decisions/0016).
"""

from __future__ import annotations

from orchestration.live.statements import Statement, Statements
from orchestration.live.store import LiveStore


def make_tables(store: LiveStore, statements: Statements) -> None:
    """Empty tables of the right shape, parents first, then the statements that fill them.

    Raises duckdb.Error for a model that cannot run, as one that names a column which does not exist.
    """
    for statement in (*statements.probe, *statements.decide):
        store.execute(f"create or replace temp table {statement.name} as {_empty(statement)}")
    for statement in (*statements.probe, *statements.decide):
        store.prepare(f"fill_{statement.name}", _insert(statement), once=not statement.replan)
        store.prepare(f"clear_{statement.name}", f"delete from temp.main.{statement.name}", once=True)
    store.empty = {statement.name for statement in (*statements.probe, *statements.decide)}


def fill(store: LiveStore, statement: Statement, happened: set[str], everyone: bool = False) -> None:
    """Build one model. Without the events or published tables it is about, or switched off, it has no rows.

    `everyone`: plan for the rows that are there now; the prepared plan is meant for a handful.
    """
    if statement.name not in store.empty:
        store.run(f"clear_{statement.name}")
        store.empty.add(statement.name)
    if (statement.needs and happened.isdisjoint(statement.needs)) or statement.switch in store.switched_off:
        return
    store.empty.discard(statement.name)
    if everyone:
        store.execute(_insert(statement))
    else:
        store.run(f"fill_{statement.name}")


def _empty(statement: Statement) -> str:
    """In brackets of its own: a model may end in a comment."""
    return f"select * from (\n{statement.sql}\n) as model limit 0"


def _insert(statement: Statement) -> str:
    return f"insert into temp.main.{statement.name} {statement.sql}"
