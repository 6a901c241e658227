"""What follows from what emails brought: odds of variants, estimates, experiments. Plain Python, no Dagster."""
