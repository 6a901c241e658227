"""The report, anew after each batch."""

import dagster as dg

from orchestration.defs.resources import Kairos
from orchestration.live.lease import utc_now
from orchestration.outcomes.figures import read_figures
from orchestration.outcomes.headlines import as_metadata
from orchestration.outcomes.page import write_report


@dg.asset(
    key=["outcomes", "report"],
    deps=[
        "fct_experiment_people", "fct_conversions", "fct_deliverability", "fct_send_decisions", "fct_send_rewards",
        "fct_touches",
    ],
    group_name="outcomes",
    owners=["team:lifecycle"],
    kinds={"python"},
    pool="warehouse",
    description="What the emails bring, as one page to look at: data/report.html.",
)  # fmt: skip
def report(kairos: Kairos) -> dg.MaterializeResult:
    """The headline numbers stand in the metadata too, each with its interval or why there is none."""
    settings = kairos.settings()
    path = settings.data / "report.html"
    figures = read_figures(settings.warehouse, settings.ledger)
    found = write_report(figures, utc_now(), path)
    numbers = {name: dg.MetadataValue.text(said) for name, said in as_metadata(found).items()}
    problem = {"could_not_be_read": figures.problem} if figures.problem else {}
    return dg.MaterializeResult(metadata={**numbers, **problem, "page": dg.MetadataValue.path(str(path))})
