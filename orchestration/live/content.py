"""What the batch lane published for the live lane to look up: products and what to show of them, segments."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb

from orchestration.live.imports import import_if_changed
from orchestration.live.store import LiveStore

logger = logging.getLogger("kairos.live")

PUBLISHED = {"fct_product_blocks": "product_id", "fct_segment_members": "customer_id"}
"""Models the live lane looks up with the macro `published`, by which column; each is a file and a table of that name."""


def import_content(store: LiveStore, folder: Path) -> int:
    """Take in what was published since the last time; returns the number of rows read.

    A table follows its file: without one it is empty, and emails go out without what it would say. A file that
    cannot be read leaves the table as it was.
    """
    count = 0
    for name in PUBLISHED:
        files = [file for file in [folder / f"{name}.parquet"] if file.exists()]
        try:
            count += import_if_changed(store, name, files, lambda n=name, f=files: _replace(store, n, f))
        except duckdb.Error as error:
            logger.error("%s was not imported, the last one stays: %s", name, str(error).splitlines()[0])
    store.notice_published()
    return count


def _replace(store: LiveStore, name: str, files: list[Path]) -> int:
    """All rows anew; columns that the file lacks stay empty, and what the table does not know is left out."""
    with store.transaction():
        if files:
            store.execute(
                f"create or replace temp table incoming_content as {_picked(store, name, files[0])}"
            )
        # Rows of one key, deleted and inserted in one transaction, would collide in the index.
        store.execute(f"drop index if exists published.{name}_by_key")
        store.execute(f"delete from published.{name}")
        if files:
            store.execute(f"insert into published.{name} by name select * from temp.main.incoming_content")
            store.execute("drop table temp.main.incoming_content")
        store.execute(f"create index {name}_by_key on published.{name} ({PUBLISHED[name]})")
    found = store.first(f"select count(*) from published.{name}")
    return int(found[0]) if found else 0


def _picked(store: LiveStore, name: str, file: Path) -> str:
    source = f"read_parquet('{str(file).replace(chr(39), chr(39) * 2)}')"
    found = {row["column_name"] for row in store.rows(f"describe select * from {source}")}
    known = [row["column_name"] for row in store.rows(f"describe published.{name}")]
    return f"select {', '.join(column for column in known if column in found)} from {source}"
