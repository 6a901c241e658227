"""One mailbox, plainly spelled: what may stand in an envelope and in a To header."""

import re

# A strict ASCII dot-atom at an A-label domain. Quoted local parts, comments and address lists are legal
# somewhere and a way to reach a second recipient everywhere.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_LOCAL}@{_LABEL}(?:\.{_LABEL})+")


def is_deliverable(address: str) -> bool:
    """True for exactly one address that no header or SMTP command can be hidden in."""
    return _ADDRESS.fullmatch(address) is not None
