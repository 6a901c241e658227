"""Which threshold would the shop's own traffic choose? Plain Python and SQL, without Dagster."""
