"""SMTP with commit-before-dot: the intents are durable before the byte sequence that gets a message accepted.

A lane holds several connections and moves them in step: all envelopes, all bodies, one commit, all
dots, all replies. So one fsync serves them all, and their round trips overlap.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from senders.ledger.ledger import Verdict
from senders.ledger.recovery import InDoubt
from senders.mime import Message
from senders.outcome import Outcome
from senders.transports.base import Commit
from senders.transports.smtp_session import Failed, SmtpSession, SmtpSettings

# A thread that sleeps between commit and dot might write the dot after the quarantine: do not let it.
_DOT_WITHIN_SECONDS = 5.0


class SmtpTransport:
    """One server."""

    def __init__(
        self, settings: SmtpSettings, width: int = 16, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`width` connections per lane, dialled when they are needed."""
        if settings.username and settings.security == "none":
            raise ValueError("smtp: a password must not travel in the clear: set security to starttls or tls")
        self._settings = settings
        self._width = width
        self._monotonic = monotonic

    def open_lane(self) -> "SmtpLane":
        """Connections dial when they are first needed."""
        sessions = [SmtpSession(self._settings, self._monotonic) for _ in range(self._width)]
        return SmtpLane(sessions, self._monotonic)

    def resolve(self, doubt: InDoubt) -> Verdict:
        """SMTP has no way to ask what became of a message."""
        return "unknown"


@dataclass
class _Attempt:
    session: SmtpSession
    message: Message
    outcome: Outcome | None = None

    def take(self, step: Callable[[SmtpSession, Message], None]) -> None:
        """One step before the dot; a failed attempt takes no more."""
        if self.outcome is None:
            try:
                step(self.session, self.message)
            except Failed as failed:
                self.outcome = failed.outcome


class SmtpLane:
    """Several sessions, used by one thread."""

    def __init__(self, sessions: Sequence[SmtpSession], monotonic: Callable[[], float]) -> None:
        self._sessions = sessions
        self._monotonic = monotonic
        self.width = len(sessions)

    def deliver(self, messages: Iterable[Message], commit: Commit) -> dict[str, Outcome]:
        """All envelopes, all bodies, the commit, the dots, the replies."""
        attempts: list[_Attempt] = []
        try:
            self._bodies(messages, attempts)
            self._dots([attempt for attempt in attempts if attempt.outcome is None], commit)
        except BaseException:
            for attempt in attempts:
                attempt.session.hang_up()  # inside DATA there is no way to take a message back but to hang up
            raise
        return {attempt.message.decision_id: attempt.outcome for attempt in attempts if attempt.outcome}

    def close(self) -> None:
        """Say goodbye on every connection."""
        for session in self._sessions:
            session.close()

    def _bodies(self, messages: Iterable[Message], attempts: list[_Attempt]) -> None:
        for session, message in zip(self._sessions, messages, strict=False):
            attempts.append(_Attempt(session, message))
            attempts[-1].take(SmtpSession.ask)
        for step in (SmtpSession.write_body, SmtpSession.check_alive):
            for attempt in attempts:
                attempt.take(step)

    def _dots(self, standing: list[_Attempt], commit: Commit) -> None:
        if not standing:
            return
        asked_at = self._monotonic()
        permitted = commit([attempt.message for attempt in standing])
        dotted = []
        for attempt in standing:
            if attempt.message.decision_id not in permitted:
                attempt.session.hang_up()
                continue
            attempt.take(SmtpSession.check_alive)
            if attempt.outcome or self._monotonic() - asked_at > _DOT_WITHIN_SECONDS:
                attempt.session.hang_up()
                attempt.outcome = Outcome(
                    "undotted", "the commit took too long, or the server hung up meanwhile"
                )
            else:
                attempt.outcome = attempt.session.write_dot()
                dotted.append(attempt)
        for attempt in dotted:
            attempt.outcome = attempt.outcome or attempt.session.read_verdict(attempt.message)
