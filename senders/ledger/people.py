"""Writes what is known about people: exits, suppressions, consent, merges. Every write is idempotent."""

from collections.abc import Sequence

from senders.instants import to_us
from senders.ledger import keys
from senders.ledger.facts import NEVER_LIFTED, Alias, Consent, Exit, ExitWithdrawn, Fact, OptOut, Suppression
from senders.ledger.writer import Transaction

_FOR_GOOD_US = 9223372036854775807


def learn(transaction: Transaction, facts: Sequence[Fact], secret: bytes) -> None:
    """Take in facts in the order of the log."""
    for fact in facts:
        match fact:
            case Exit():
                _exit(transaction, fact)
            case ExitWithdrawn():
                _withdraw(transaction, fact)
            case Suppression():
                _suppress(transaction, fact, secret)
            case OptOut():
                _opt_out(transaction, fact)
            case Consent():
                _consent(transaction, fact, secret)
            case Alias():
                _merge(transaction, fact)


def suppress_keys(
    transaction: Transaction, subjects: Sequence[str], reason: str, at_us: int, source: str
) -> None:
    """Suppress under each key. A later repetition renews one that had been lifted."""
    for key in subjects:
        changed = transaction.execute(
            """
            insert into suppressions (key, reason, at_us, source) values (?, ?, ?, ?)
            on conflict (key, reason) do update
            set at_us = excluded.at_us, lifted_us = null, source = excluded.source
            where excluded.at_us >= coalesce(lifted_us, 9223372036854775807)
            """,
            (key, reason, at_us, source),
        ).rowcount
        if changed:
            transaction.audit(at_us, "suppressed", subject=key, reason=reason, source=source)


def _exit(transaction: Transaction, fact: Exit) -> None:
    transaction.execute(
        """
        insert into exits (key, event_name, position, received_us) values (?, ?, ?, ?)
        on conflict (key, event_name) do update
        set position = excluded.position, received_us = excluded.received_us
        where excluded.position > position
        """,
        (keys.person_key(fact.person), fact.event_name, fact.position, to_us(fact.received_at)),
    )


def _withdraw(transaction: Transaction, fact: ExitWithdrawn) -> None:
    """Only the newest exit is known, so an earlier one goes with it; the models still know that one."""
    transaction.execute(
        "delete from exits where key = ? and event_name = ? and position >= ?",
        (keys.person_key(fact.person), fact.event_name, fact.position),
    )


def _suppress(transaction: Transaction, fact: Suppression, secret: bytes) -> None:
    subjects = _keys_of(fact, secret)
    if fact.decision_id:
        subjects += _recipient_of(transaction, fact.decision_id)
    if not subjects:
        raise ValueError("a suppression needs an address, a person or a known decision_id")
    suppress_keys(transaction, subjects, fact.reason, to_us(fact.at), fact.source)


def _opt_out(transaction: Transaction, fact: OptOut) -> None:
    """The longer of two wishes about the same counts, in whichever order they arrive."""
    at_us, until_us = to_us(fact.at), to_us(fact.until) if fact.until else _FOR_GOOD_US
    for key in _recipient_of(transaction, fact.decision_id):
        changed = transaction.execute(
            """
            insert into opt_outs (key, trigger_name, at_us, until_us, source) values (?, ?, ?, ?, ?)
            on conflict (key, trigger_name) do update
            set at_us = excluded.at_us, until_us = excluded.until_us, source = excluded.source
            where excluded.at_us >= at_us and excluded.until_us > until_us
            """,
            (key, fact.trigger_name or "", at_us, until_us, fact.source),
        ).rowcount
        if changed:
            transaction.audit(
                at_us, "opted_out", subject=key, source=fact.source, trigger_name=fact.trigger_name,
                until_us=None if fact.until is None else until_us,
            )  # fmt: skip


def _recipient_of(transaction: Transaction, decision_id: str) -> list[str]:
    """The mailbox and the person of a decision; where the customer is known, a shared device is spared."""
    row = transaction.execute(
        "select customer_id, visitor_id, address_hash from decisions where decision_id = ?", (decision_id,)
    ).fetchone()
    if row is None:
        return []
    person = keys.person_key(row["customer_id"] or row["visitor_id"])
    return [person, keys.address_key(row["address_hash"])] if row["address_hash"] else [person]


def _consent(transaction: Transaction, fact: Consent, secret: bytes) -> None:
    at_us = to_us(fact.at)
    for key in _keys_of(fact, secret):
        if _set_consent(transaction, key, fact, at_us):
            transaction.audit(
                at_us,
                "consent_granted" if fact.granted else "consent_withdrawn",
                subject=key,
                source=fact.source,
                double_opt_in=fact.double_opt_in,
            )
        if fact.granted and fact.double_opt_in:
            _lift(transaction, key, at_us)


def _set_consent(transaction: Transaction, key: str, fact: Consent, at_us: int) -> bool:
    """The newest word counts; of two at the same instant, the withdrawal. True when the state changed."""
    before = transaction.execute("select granted, at_us from consents where key = ?", (key,)).fetchone()
    if before and (before["at_us"] > at_us or (before["at_us"] == at_us and fact.granted)):
        return False
    transaction.execute(
        "insert or replace into consents (key, granted, at_us, source) values (?, ?, ?, ?)",
        (key, int(fact.granted), at_us, fact.source),
    )
    return before is None or bool(before["granted"]) != fact.granted


def _lift(transaction: Transaction, key: str, at_us: int) -> None:
    lifted = transaction.execute(
        "update suppressions set lifted_us = ?"
        " where key = ? and lifted_us is null and at_us < ? and reason not in (?, ?)",
        (at_us, key, at_us, *NEVER_LIFTED),
    ).rowcount
    lifted += transaction.execute(
        "update opt_outs set until_us = ? where key = ? and at_us < ? and until_us > ?",
        (at_us, key, at_us, at_us),
    ).rowcount
    if lifted:
        transaction.audit(at_us, "suppression_lifted", subject=key, by="double opt-in")


def _merge(transaction: Transaction, fact: Alias) -> None:
    at_us = to_us(fact.at)
    new = transaction.execute(
        "insert or ignore into person_aliases (person, alias, at_us) values (?, ?, ?)",
        (fact.person, fact.alias, at_us),
    ).rowcount
    if not new:
        return
    canonical, other = (_canonical(transaction, person) for person in (fact.person, fact.alias))
    transaction.execute("update people set canonical = ? where canonical = ?", (canonical, other))
    transaction.audit(
        at_us, "merged", subject=keys.person_key(fact.person), alias=keys.person_key(fact.alias)
    )


def _canonical(transaction: Transaction, person: str) -> str:
    transaction.execute("insert or ignore into people (person, canonical) values (?, ?)", (person, person))
    return transaction.execute("select canonical from people where person = ?", (person,)).fetchone()[0]


def _keys_of(fact: Suppression | Consent, secret: bytes) -> list[str]:
    found = [keys.person_key(fact.person)] if fact.person else []
    if fact.address:
        found.append(keys.address_key(keys.address_hash(fact.address, secret)))
    return found
