"""What the batch lane learns from what emails brought."""

from datetime import timedelta

import dagster as dg

from orchestration.defs.resources import Kairos
from orchestration.learning.experiments import Result, in_words, measure, read_people
from orchestration.learning.hindsight import looking_back, read_rewards
from orchestration.learning.policy import renew
from orchestration.live.lease import utc_now


@dg.asset(
    key=["outcomes", "bandit_policy"],
    deps=["fct_variant_results"],
    group_name="outcomes",
    owners=["team:lifecycle"],
    kinds={"python", "parquet"},
    pool="warehouse",
    description="The odds of subject variants, anew each day, for both lanes; earlier ones stay in the file.",
)
def bandit_policy(kairos: Kairos) -> dg.MaterializeResult:
    """Announced so far ahead that every window has read it before it counts."""
    settings = kairos.settings()
    ahead = timedelta(seconds=2 * settings.live.window_seconds + 60)
    done = renew(settings.warehouse, settings.published, utc_now().replace(tzinfo=None), ahead)
    lines = looking_back(read_rewards(settings.warehouse))
    hindsight = "\n".join(lines) or "no email has two variants that were sent"
    return dg.MaterializeResult(
        metadata={**done.as_metadata(), "other_odds": dg.MetadataValue.text(hindsight)}
    )


@dg.asset(
    key=["outcomes", "experiment_results"],
    deps=["fct_experiment_people"],
    group_name="outcomes",
    owners=["team:lifecycle"],
    kinds={"python"},
    pool="warehouse",
    description="What the emails of each trigger, and all together, bring over what would have come anyway.",
)
def experiment_results(kairos: Kairos) -> dg.MaterializeResult:
    """Without a control, or with arms that are not alike, it says so and prints no lift."""
    results = measure(read_people(kairos.settings().warehouse))
    lines = [f"- {line}" for result in results for line in in_words(result)]
    return dg.MaterializeResult(
        metadata={
            "experiments": len(results),
            "results": dg.MetadataValue.md("\n".join(lines) or "nobody took part in an experiment yet"),
        }
    )


@dg.asset_check(
    asset=dg.AssetKey(["fct_experiment_people"]),
    description="Each experiment has as many people on each side as planned (chi-squared, p >= .001).",
)
def sample_ratios_hold(kairos: Kairos) -> dg.AssetCheckResult:
    """A sample ratio that is off means that something drops people of one side."""
    return _checked(measure(read_people(kairos.settings().warehouse)), ("sample_ratio",))


@dg.asset_check(
    asset=dg.AssetKey(["fct_experiment_people"]),
    description="Both sides of each experiment were alike before: tier, country, earlier orders (p >= .001).",
)
def experiment_arms_are_alike(kairos: Kairos) -> dg.AssetCheckResult:
    """The right number of the wrong people passes a count; it does not pass this."""
    names = ("balance_of_segment", "balance_of_country", "balance_of_earlier_orders")
    return _checked(measure(read_people(kairos.settings().warehouse)), names)


def _checked(results: list[Result], names: tuple[str, ...]) -> dg.AssetCheckResult:
    alarms = [
        (result.experiment, alarm) for result in results for alarm in result.alarms if alarm.name in names
    ]
    ringing = [f"{experiment}: {alarm.name} p = {alarm.p:.2g}" for experiment, alarm in alarms if alarm.rings]
    return dg.AssetCheckResult(
        passed=not ringing,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "compared": len(alarms),
            "smallest_p": min((alarm.p for _, alarm in alarms), default=1.0),
            "ringing": ", ".join(ringing) or "none",
        },
    )
