"""The ledger: what was planned, allowed, attempted and sent. Nothing is ever forgotten, nothing sent twice."""
