"""What is worked out about people in the batch lane and handed to marketers; no Dagster in here."""
