"""The live lane: tail the log, evaluate the compiled models, plan emails. Plain Python, no Dagster."""
