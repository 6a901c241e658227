"""Plan in, receipt out: the ledger, the gate and the sender. Knows nothing of where decisions come from."""

from senders.compose import Composer
from senders.decision import Decision
from senders.dispatch import Dispatcher
from senders.gate import Gated
from senders.ledger.attempts import Intent
from senders.ledger.controls import Sending
from senders.ledger.facts import Alias, Consent, Exit, ExitWithdrawn, Fact, OptOut, Suppression
from senders.ledger.fence import SenderBusy, StaleSender
from senders.ledger.ledger import Ledger
from senders.ledger.recovery import InDoubt, Recovery
from senders.ledger.reviews import Held, ReviewError
from senders.ledger.views import Due, Entry, Explanation, Job, Receipt
from senders.ledger.writer import LedgerBroken
from senders.mime import Identity, Message
from senders.outcome import Outcome
from senders.policy import Policy
from senders.quiet import QuietHours
from senders.render import Renderer, RenderError
from senders.throttle import Throttle
from senders.tracking import Tracking
from senders.transports.base import Lane, Transport
from senders.transports.file import FileTransport
from senders.transports.smtp import SmtpTransport
from senders.transports.smtp_session import SmtpSettings

__all__ = [
    "Alias",
    "Composer",
    "Consent",
    "Decision",
    "Dispatcher",
    "Due",
    "Entry",
    "Exit",
    "ExitWithdrawn",
    "Explanation",
    "Fact",
    "FileTransport",
    "Gated",
    "Held",
    "Identity",
    "InDoubt",
    "Intent",
    "Job",
    "Lane",
    "Ledger",
    "LedgerBroken",
    "Message",
    "OptOut",
    "Outcome",
    "Policy",
    "QuietHours",
    "Receipt",
    "Recovery",
    "RenderError",
    "Renderer",
    "ReviewError",
    "SenderBusy",
    "Sending",
    "SmtpSettings",
    "SmtpTransport",
    "StaleSender",
    "Suppression",
    "Throttle",
    "Tracking",
    "Transport",
]
