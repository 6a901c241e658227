"""The only place that knows everyone: log, models, ledger, sender, Dagster."""
