"""The customer base a shop brings along: Parquet files in data/profiles."""

from __future__ import annotations

from pathlib import Path

from orchestration.live.imports import import_if_changed
from orchestration.live.store import LiveStore

COLUMNS = (
    "customer_id", "email", "has_consent", "first_name", "tier", "loyalty_points", "timezone", "locale", "country",
)  # fmt: skip


def import_profiles(store: LiveStore, folder: Path) -> int:
    """Take in the files if they changed since the last time; returns the number of customers read.

    What a customer told us after the import's `valid_from` stays.
    A column `consent` is taken for `has_consent`; columns that are missing stay empty.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return 0
    return import_if_changed(store, "profiles", files, lambda: _import(store, files))


def _import(store: LiveStore, files: list[Path]) -> int:
    # Millions of rows at once go in faster without it.
    store.execute("drop index if exists profiles.customers_by_id")
    with store.transaction():
        count = _upsert(store, [str(file) for file in files])
    store.execute("create index customers_by_id on profiles.customers (customer_id)")
    return count


def _upsert(store: LiveStore, files: list[str]) -> int:
    source = "read_parquet(?, union_by_name = true)"
    found = {row["column_name"] for row in store.rows(f"describe select * from {source}", [files])}
    picks = {name: name if name in found else "null" for name in COLUMNS}
    picks["email"] = f"lower({picks['email']})"
    if "consent" in found:
        picks["has_consent"] = "coalesce(has_consent, consent)" if "has_consent" in found else "consent"
    since = (
        "coalesce(valid_from, timestamp '1970-01-01')" if "valid_from" in found else "timestamp '1970-01-01'"
    )
    chosen = ", ".join(f"{expression} as {name}" for name, expression in picks.items())
    store.execute(
        f"create or replace temp table incoming_customers as select {chosen}, {since} as valid_from from {source}",
        [files],
    )
    store.execute(
        "delete from profiles.customers using incoming_customers as incoming "
        "where customers.customer_id = incoming.customer_id and customers.valid_from <= incoming.valid_from"
    )
    names = ", ".join((*COLUMNS, "valid_from"))
    store.execute(
        f"insert into profiles.customers ({names}) select {names} from incoming_customers "
        "where customer_id not in (select customer_id from profiles.customers)"
    )
    count = store.rows("select count(*) as customers from incoming_customers")[0]["customers"]
    store.execute("drop table incoming_customers")
    return int(count)
