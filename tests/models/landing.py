"""Calls as the archive that the warehouse reads."""

from orchestration.recorded import land

__all__ = ["land"]
