"""The live lane's DuckDB file: bounded state, one owner, rebuildable from the log and the ledger."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from orchestration.live.decode import EVENT_SCHEMA

_TYPES = {pl.Int64: "bigint", pl.String: "varchar", pl.Datetime("us"): "timestamp"}
_EVENT_COLUMNS = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in EVENT_SCHEMA.items())

_TABLES = f"""
create schema if not exists landing;
create schema if not exists live;
create schema if not exists profiles;
create schema if not exists published;
create schema if not exists seeds;
create table if not exists landing.events ({_EVENT_COLUMNS});
create index if not exists events_by_visitor on landing.events (visitor_id);
create index if not exists events_by_customer on landing.events (user_id);
create table if not exists live.touched (visitor_id varchar);
create table if not exists live.touched_customers (customer_id varchar);
create table if not exists live.decided (
    candidate_id varchar, person_id varchar, sequence_id varchar, trigger_name varchar, visitor_id varchar,
    qualifies_at timestamp, priority integer, should_send boolean);
create index if not exists decided_by_visitor on live.decided (visitor_id);
create index if not exists decided_by_person on live.decided (person_id);
create table if not exists live.timers (visitor_id varchar, due_at timestamp);
create table if not exists live.cursor (position bigint, as_of timestamp);
create table if not exists live.clock (as_of timestamp);
create table if not exists live.models (version varchar, since timestamp);
create table if not exists live.imported (name varchar, version varchar);
create table if not exists profiles.customers (
    customer_id varchar, email varchar, has_consent boolean, first_name varchar, tier varchar,
    loyalty_points bigint, timezone varchar, locale varchar, country varchar, valid_from timestamp);
create index if not exists customers_by_id on profiles.customers (customer_id);
create table if not exists published.fct_product_blocks (
    product_id varchar, is_withdrawn boolean, card json, similar_products json, accessories json, category json,
    proof json, review json, size_guide json, stock json);
create index if not exists fct_product_blocks_by_key on published.fct_product_blocks (product_id);
create table if not exists published.fct_segment_members (
    segment_name varchar, customer_id varchar, entered_at timestamp);
create index if not exists fct_segment_members_by_key on published.fct_segment_members (customer_id);
"""
_SHAPE = hashlib.sha256(_TABLES.encode()).hexdigest()[:16]


class OtherShape(duckdb.Error):
    """The file was made by another version of Kairos: rebuild it."""


_PUBLISHED = (
    "select table_name from duckdb_tables() where database_name = 'hot' and schema_name = 'published'"
)


class _Columns:
    """Hands a Polars frame to DuckDB over the Arrow stream interface, which needs no pyarrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


class LiveStore:
    """Opens the file for itself alone: while it is open, no other process can read it."""

    def __init__(self, path: Path, memory_limit: str = "2GB") -> None:
        """One thread: a micro-batch is a few rows, and handing them around cost a third more in measurement.

        Raises OtherShape for a file whose tables are not ours.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = duckdb.connect(":memory:", config={"memory_limit": memory_limit, "threads": 1})
        self._db.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as hot; use hot;")
        # The indexes keep a batch at the cost of its people, however many days of events the file holds;
        # above 50 keys a semi-join would stop pushing its keys down and scan everything.
        self._db.execute("set dynamic_or_filter_threshold = 2000; set timezone = 'UTC';")
        self._make_tables()
        self.empty: set[str] = set()  # the models' tables that have no rows
        self.published: set[str] = set()  # what the batch lane published for us, if it has rows
        self.switched_off: set[str] = set()  # switches of models (`seed` or `seed.key`) that are not enabled
        self.notice_published()
        # What an idle lane asks fifty times a second; every transaction may change it.
        self._cursor: tuple[int, datetime | None] | None = None
        self._next_timer: tuple[datetime | None] | None = None

    def _make_tables(self) -> None:
        """Ours in a new file; in an old one they must be the same."""
        tables = "select count(*) from duckdb_tables() where database_name = 'hot'"
        is_new = self._db.execute(tables).fetchone() == (0,)
        self._db.execute(
            "create schema if not exists live; create table if not exists live.shape (id varchar);"
        )
        if is_new:
            self._db.execute("insert into live.shape values (?)", [_SHAPE])
        elif self._db.execute("select id from live.shape").fetchone() != (_SHAPE,):
            self._db.close()
            raise OtherShape(f"{self.path} has the tables of another version")
        self._db.execute(_TABLES)
        self._db.execute("delete from live.clock; insert into live.clock values ('1970-01-01');")

    def notice_published(self) -> None:
        """See which published tables have rows: a model that needs an empty one is not run."""
        names = [row["table_name"] for row in self.rows(_PUBLISHED)]
        self.published = {
            f"published.{name}" for name in names if self.first(f"select 1 from published.{name} limit 1")
        }

    def checkpoint(self) -> None:
        """Move what was written from the write-ahead log into the file, or the next opening has to."""
        self._db.execute("checkpoint hot")

    def close(self) -> None:
        """Leave a file that opens at once."""
        with contextlib.suppress(duckdb.Error):  # an open transaction is rolled back, not saved
            self.checkpoint()
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Facts, position and decisions are one commit."""
        self._db.execute("begin transaction")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            self.empty.clear()  # what was deleted is there again
            raise
        else:
            self._db.execute("commit")
        finally:
            self._cursor = self._next_timer = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        return self._db.execute(sql, list(parameters))

    def first(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, or None. All rows are fetched: a connection with rows left over refuses other work."""
        found = self._db.execute(sql, list(parameters)).fetchall()
        return found[0] if found else None

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Result rows as dictionaries."""
        return self.rows_of(self._db.execute(sql, list(parameters)))

    @staticmethod
    def rows_of(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
        """What `execute` or `run` found, as dictionaries."""
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Append rows; `table` is one of ours, never input."""
        # Found by its name; registering it would be a change of the catalog, after which every plan is made anew.
        incoming = _Columns(frame)  # noqa: F841
        self._db.execute(f"insert into {table} by name select * from incoming")

    def prepare(self, name: str, sql: str, once: bool = False) -> None:
        """A statement for `run`. With `once` its plan is made now and kept, else at each run.

        DuckDB keeps only plans that its optimizer did not touch, since that one looks at what is in the tables: good
        for statements over a handful of rows, and wrong for a lookup in a large table. A later change of any table's
        shape costs the plan, not the answer; a variable would be frozen, and a parameter is planned anew.
        """
        try:
            if once:
                self._db.execute("pragma disable_optimizer")
            self._db.execute(f"prepare {name} as {sql}")
        finally:
            self._db.execute("pragma enable_optimizer")

    def run(self, name: str) -> duckdb.DuckDBPyConnection:
        """Execute what was prepared."""
        return self._db.execute(f"execute {name}")

    def set_clock(self, as_of: datetime) -> None:
        """The instant at which models judge (naive UTC): a row, since plans would freeze a variable."""
        self._db.execute("update live.clock set as_of = ?", [as_of])

    # --- where the lane stands

    def cursor(self) -> tuple[int, datetime | None]:
        """(position after the last read frame, instant up to which everything was judged)."""
        if self._cursor is None:
            row = self.first("select position, as_of from live.cursor")
            self._cursor = (row[0], row[1]) if row else (0, None)
        return self._cursor

    def set_cursor(self, position: int, as_of: datetime) -> None:
        self._cursor = None
        self._db.execute("delete from live.cursor")
        self._db.execute("insert into live.cursor values (?, ?)", [position, as_of])

    def next_timer(self) -> datetime | None:
        if self._next_timer is None:
            row = self.first("select min(due_at) from live.timers")
            self._next_timer = (row[0] if row else None,)
        return self._next_timer[0]
