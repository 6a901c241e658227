"""Who is looked at in a micro-batch, and all that concerns them, gathered before any model runs.

A few statements meet the large tables, by their indexes; every model reads what they gathered. So the cost of a
model depends on the people of the batch alone, and its plan, made once, stays good (tables.py).
"""

from __future__ import annotations

from datetime import datetime

from orchestration.live.store import LiveStore

_GATHERED = {"events": "landing.events", "customers": "profiles.customers", "decided": "live.decided"}
"""Tables of which models read the touched part (macro of_touched): temp.main.of_touched_<name>."""

CLOCK = "(select clock.as_of from live.clock as clock)"
"""The instant of the micro-batch in a statement that is planned once."""

_OURS = "'Email Sent', 'Email Withheld', 'Email Clicked', 'Email Opened'"
"""Our own events that change what is to be judged."""

_IN_TOUCHED = "visitor_id in (select visitor_id from live.touched)"

# The position is a parameter: only a constant is compared with what a block of events holds before it is read.
_TOUCH = f"""
    insert into live.touched
    select visitor_id from landing.events
    where position >= ? and (source <> 'kairos' or event in ({_OURS}))
    union
    select visitor_id from live.timers where due_at <= ?
    """
_STEPS = {
    "touch_customers": f"""
        insert into live.touched_customers
        select distinct user_id from landing.events where user_id is not null and {_IN_TOUCHED}
        """,
    "touch_their_visitors": f"""
        insert into live.touched
        select distinct visitor_id from landing.events
        where user_id in (select customer_id from live.touched_customers) and not {_IN_TOUCHED}
        """,
    "gather_events": f"insert into temp.main.of_touched_events select * from landing.events where {_IN_TOUCHED}",
    "gather_decided": f"insert into temp.main.of_touched_decided select * from live.decided where {_IN_TOUCHED}",
    # Of visitors that are forgotten already.
    "gather_decided_elsewhere": f"""
        insert into temp.main.of_touched_decided
        select * from live.decided
        where person_id in (select customer_id from live.touched_customers) and not {_IN_TOUCHED}
        """,
    "gather_customers": """
        insert into temp.main.of_touched_customers
        select * from profiles.customers where customer_id in (select customer_id from live.touched_customers)
        """,
    "gather_identities": """
        insert into temp.main.of_touched_events
        select * from landing.events
        where type = 'identify' and user_id in (select customer_id from live.touched_customers)
        """,
}


def prepare_touched(store: LiveStore) -> None:
    """Make the temporary tables, empty, and plan what fills them."""
    for name, table in _GATHERED.items():
        store.execute(f"create or replace temp table of_touched_{name} as select * from {table} limit 0")
    for name, sql in _STEPS.items():
        store.prepare(name, sql)
    store.prepare("gathered_events", "select distinct event from temp.main.of_touched_events", once=True)
    for name in _GATHERED:
        store.prepare(f"clear_{name}", f"delete from temp.main.of_touched_{name}", once=True)


def touch(store: LiveStore, as_of: datetime) -> set[str]:
    """People with a new event or a due timer, and whoever shares a customer with them, at `as_of` (naive UTC).

    Returns the names of the events they have in the live lane at all.
    """
    store.set_clock(as_of)
    untouch(store)
    store.execute(_TOUCH, [store.cursor()[0], as_of])
    for step in ("touch_customers", "touch_their_visitors"):
        store.run(step)
    for step in ("gather_events", "gather_decided", "gather_decided_elsewhere"):
        store.run(step)
    return {event for (event,) in store.run("gathered_events").fetchall()}


def gather_customers(store: LiveStore) -> None:
    """What the imported base knows of them: only a decision asks for it."""
    store.run("clear_customers")
    store.run("gather_customers")


def gather_identities(store: LiveStore) -> None:
    """All that live.touched_customers told of themselves, on any device, and nothing else."""
    store.run("clear_events")
    store.run("gather_identities")
    gather_customers(store)


def untouch(store: LiveStore) -> None:
    """Nobody is looked at."""
    store.execute("delete from live.touched; delete from live.touched_customers;")
    store.run("clear_events")
    store.run("clear_decided")
