"""What a mail server's refusal means: codes where they are specific, the words where they are not.

Servers agree on codes far less than on words: 550 5.7.1 may be a spam block or an unknown user.
So words that name one cause come first, then the enhanced code (RFC 3463), then vague words, then the reply.
"""

import re
from dataclasses import dataclass

from collector.bounces.words import BY_CODE, BY_STATUS, CLEAR_WORDS, VAGUE_WORDS, Table

HARD = frozenset({"mailbox_unknown", "mailbox_moved", "host_unknown", "host_takes_no_mail"})


@dataclass(frozen=True)
class Reply:
    """One refusal, understood."""

    reason: str  # a word of the tables below, or `undefined`
    status: str | None = None  # enhanced code such as 5.1.1
    code: str | None = None  # SMTP reply such as 550

    @property
    def is_hard(self) -> bool:
        """This mailbox will never take mail."""
        return self.reason in HARD


_TAKES_NO_MAIL = "host_takes_no_mail"  # RFC 7504

# Large providers look the mailbox up after DATA and say so.
_UNEQUIVOCAL = re.compile(r"doesn't have an? \S+ account|account that you tried to reach does not exist")
# `5.1.0 - Unknown address error 550-'5.7.1 Access denied'`: a gateway's guess, and what the server really said.
_GUESSED = re.compile(r"[245]\.\d\.0 - .{0,60}?([45]\d\d)[ -]'(.{5,}?)'(?:\s|$)")
_QUOTED = re.compile(r"(?<![\w.:/@#-])[45][0-5]\d[ -]+(?:[45]\.\d{1,3}\.\d{1,3}|[<A-Za-z:#(\[])")
_NOT_ADDRESS = (".2", ".7")  # subjects of RFC 3463 that say: the address was right
_PASSES = re.compile(
    r"not found,? try again|try again later|tempor|servfail|timed? ?out|name ?server (?:error|fail)|soft error|malformed or unexpected"
)
_AFTER_DATA = re.compile(
    r"in (?:reply|response) to (?:end of )?data|after (?:end of |initial |pipelined )?(?:data|message body|\.)|smtp command\W{0,5}data|\(state 1[78]\)|>>> data <<< [45]\d\d|to data command|data phase"
)

_LONGEST = 8_000  # characters of a refusal that are looked at; whoever needs more has said nothing by then

_STATUS = re.compile(r"(?<![\w.:/-])([245])\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d|\w)")
_CODE = re.compile(r"(?<![\w.:/@-])([245][0-5]\d)(?=[ -]|$|[#,;.)](?!\d))")
_SPACES = re.compile(r"\s+")


def read_reply(text: str, status: str | None = None, code: str | None = None) -> Reply:
    """What a refusal means. `status` and `code`: where they are told apart from the text; the text's own count more."""
    words = _SPACES.sub(" ", text[:_LONGEST]).strip().lower()
    if quoted := _GUESSED.search(words):
        words, status = f"{quoted[1]} {quoted[2]}", None
    said = status_in(words)
    best = said if said and not _is_vague(said) else status or said
    code = code_in(words) or code
    reason = (
        (_TAKES_NO_MAIL if code in ("521", "556") and said in (None, "5.3.2", "5.1.10") else None)
        or _first(CLEAR_WORDS, words)
        or _of_status(said)
        or _of_status(status)
        or _first(VAGUE_WORDS, words)
        or BY_CODE.get(code or "", "undefined")
    )
    return Reply(_corrected(reason, said, code, words), best, code)


def _corrected(reason: str, said: str | None, code: str | None, words: str) -> str:
    """A mailbox that is "inactive" under 5.1.1 is gone. One refused after DATA was there at RCPT: a filter speaks."""
    if reason == "mailbox_disabled" and said == "5.1.1":
        return "mailbox_unknown"
    if (
        reason == "mailbox_unknown"
        and not _UNEQUIVOCAL.search(words)
        and (said is None or said[1:3] in _NOT_ADDRESS)
        and _AFTER_DATA.search(words)
    ):
        return "filtered"
    if reason in HARD and (code or "")[:1] == "4" and "unavailable" in words:
        return "mailbox_busy"
    if reason == "host_unknown" and _PASSES.search(words):
        return "network"
    return reason


def reply_in(text: str) -> str:
    """From the first refusal of a mail server on, some lines; empty if the text quotes none."""
    found = _QUOTED.search(text)
    return text[found.start() : found.start() + 600] if found else ""


def is_after_data(text: str) -> bool:
    """Whether the text tells that RCPT was taken and the refusal came after DATA."""
    return bool(_AFTER_DATA.search(_SPACES.sub(" ", text).lower()))


def names_address(status: str | None) -> bool:
    """Whether an enhanced code is about the address itself (x.1.y), or at least not about something else."""
    return status is not None and status[1:3] == ".1" and not _is_vague(status)


def is_unequivocal(text: str) -> bool:
    """Whether the words leave no doubt that the mailbox is unknown, whenever they were said."""
    return bool(_UNEQUIVOCAL.search(_SPACES.sub(" ", text).lower()))


def status_in(text: str) -> str | None:
    """The first enhanced code that says more than "failed", else the first."""
    found = [".".join(match.groups()) for match in _STATUS.finditer(text)]
    return next((status for status in found if not _is_vague(status)), found[0] if found else None)


def code_in(text: str) -> str | None:
    """The first SMTP reply code."""
    found = _CODE.search(text)
    return found[1] if found else None


def _is_vague(status: str) -> bool:
    return status.endswith(".0.0") or status[1:] in (".1.0", ".5.0", ".7.1", ".4.0")


def _of_status(status: str | None) -> str | None:
    return BY_STATUS.get(status.partition(".")[2]) if status else None


def _first(table: Table, words: str) -> str | None:
    return next((reason for reason, pattern in table if pattern.search(words)), None)
