"""Will this visit end with an order by itself? Trained in the batch lane, scored in SQL; plain Python without Dagster."""
