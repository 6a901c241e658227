"""Mails that come back: what they say about whom, so that nobody writes to a dead mailbox twice."""
