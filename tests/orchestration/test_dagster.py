"""What Dagster sees, and the sensor that keeps the live lane running."""

import time
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from orchestration.defs.live.sensors import relay
from orchestration.live.lease import Lease, write_lease
from orchestration.live.window import Window, WindowBusy
from orchestration.pruning import prune
from orchestration.settings import load_settings


@pytest.fixture(scope="module")
def repository():
    return defs().get_repository_def()


def test_the_graph_is_whole(repository):
    """A module that mixes decorated objects with a definitions function loses objects without a word."""
    keys = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    checks = {key.name for key in repository.asset_graph.asset_check_keys}

    assert {
        "landing/events",
        "landing/archive",
        "live/trigger_candidates",
        "live/send_decisions",
        "delivery/emails",
        "segments/customer_lifetimes",
        "segments/segment_proposals",
        "segments/published",
        "outcomes/bandit_policy",
        "outcomes/experiment_results",
        "outcomes/report",
    } <= keys
    assert {"fct_send_decisions", "fct_trigger_candidates", "trg_cart_abandonment"} <= keys
    batch = repository.get_job("batch_lane_job").asset_layer.executable_asset_keys
    assert {"landing/archive", "fct_product_blocks", "published/fct_product_blocks"} <= {
        key.to_user_string() for key in batch
    }
    assert {"accounting_adds_up", "landing_meets_contract", "live_decisions_match_warehouse"} <= checks
    assert {
        "landing_is_parseable",
        "models_compile",
        "outbox_has_no_duplicates",
        "audit_chain_is_intact",
        "reviews_are_answered",
        "sample_ratios_hold",
        "experiment_arms_are_alike",
    } <= checks
    assert {"live_window_job", "batch_lane_job", "housekeeping_job"} <= set(repository.job_names)
    assert {sensor.name for sensor in repository.sensor_defs} >= {"relay"}
    batch = repository.get_job("batch_lane_job").asset_layer.executable_asset_keys
    assert {"segments/published", "seg_vips", "outcomes/bandit_policy", "outcomes/report"} <= {
        key.to_user_string() for key in batch
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {"batch_lane", "housekeeping"}


def test_every_asset_says_who_answers_for_it(repository):
    graph = repository.asset_graph
    ours = [graph.get(key) for key in graph.get_all_asset_keys() if graph.get(key).is_materializable]

    assert [node.key for node in ours if not node.group_name or node.group_name == "default"] == []
    assert [node.key for node in ours if not node.description] == []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    return tmp_path


def ask(instance: dg.DagsterInstance):
    return relay(dg.build_sensor_context(instance=instance))


def running(instance: dg.DagsterInstance) -> str:
    """A window's run in the storage, started."""
    job = dg.job(name="live_window_job")(lambda: None)
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    return run.run_id


def test_relay_starts_a_window_when_none_runs(here: Path):
    with dg.instance_for_test() as instance:
        assert isinstance(ask(instance), dg.RunRequest)


@pytest.mark.parametrize(("left", "starts"), [(200, False), (20, True)])
def test_relay_starts_the_successor_shortly_before_the_end(here: Path, left: float, starts: bool):
    with dg.instance_for_test() as instance:
        write_lease(here / "window.lease", Lease(run_id=running(instance), ends_at=time.time() + left))

        assert isinstance(ask(instance), dg.RunRequest) is starts


def test_relay_never_has_more_than_two_windows(here: Path):
    with dg.instance_for_test() as instance:
        first, _ = running(instance), running(instance)
        write_lease(here / "window.lease", Lease(run_id=first, ends_at=time.time() + 1))

        answer = ask(instance)

        assert isinstance(answer, dg.SkipReason) and "2 window run(s) live" in answer.skip_message


def test_a_second_window_waits_for_the_lock_and_gives_up_in_time(here: Path, monkeypatch: pytest.MonkeyPatch):
    from orchestration.live.lease import WindowLock

    monkeypatch.setattr("orchestration.live.window.LOCK_WAIT_SECONDS", 0.2)
    lock = WindowLock(here / "window.lock")
    assert lock.take(0)

    with pytest.raises(WindowBusy):
        Window(load_settings(), "second", seconds=1).run()


def test_pruning_removes_old_runs_and_their_files(tmp_path: Path):
    @dg.job
    def nothing():
        pass

    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        for _ in range(3):
            nothing.execute_in_process(instance=instance)
        files = tmp_path / "history" / "runs"
        before = {file.name for file in files.glob("*.db") if len(file.stem) == 36}

        kept = prune(instance, keep_days=1)
        gone = prune(instance, keep_days=-1)

        after = {file.name for file in files.glob("*.db") if len(file.stem) == 36}
        assert (kept.runs, gone.runs) == (0, 3)
        assert len(before) == 3 and after == set()
        assert instance.get_run_records() == []


def test_what_is_learned_shows_in_the_ui(here: Path):
    """On a warehouse of two variants and an experiment whose control is too small by half."""
    from orchestration.defs.outcomes.learning import (
        bandit_policy,
        experiment_arms_are_alike,
        experiment_results,
        sample_ratios_hold,
    )
    from orchestration.defs.resources import Kairos

    with duckdb.connect(str(here / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            """
            create schema seeds;
            create table seeds.variants as select * from (values ('cart', 'mid', 'a'), ('cart', 'mid', 'b'))
                as rows (trigger_name, route, variant);
            create table fct_send_rewards as
                select 'd' || i as decision_id, 'cart/mid' as slot, 'none' as segment,
                    case when i % 2 = 0 then 'a' else 'b' end as arm, 0.5 as propensity,
                    i % 7 = 0 as is_rewarded, true as is_settled
                from range(1000) as numbers (i);
            create table fct_variant_results as
                select slot, segment, arm, count(*) as settled_count, sum(is_rewarded::int) as reward_count
                from fct_send_rewards group by slot, segment, arm;
            create table fct_experiment_people as
                select 'everybody' as experiment, 'p' || i as person_id, 'holdout' as kind, 0.1 as share,
                    i % 20 = 0 as is_control, 'none' as segment, 'DE' as country, 0 as earlier_order_count,
                    i % 9 = 0 as is_converted, 0.0 as revenue, true as is_settled
                from range(8000) as numbers (i);
            """
        )

    done = dg.materialize([bandit_policy, experiment_results], resources={"kairos": Kairos()})

    policy, results = done.get_asset_materialization_events()
    assert (here / "published" / "bandit_policy.parquet").exists()
    assert "even odds" in policy.materialization.metadata["other_odds"].text
    assert "sample_ratio" in results.materialization.metadata["results"].md_str
    assert not sample_ratios_hold(Kairos()).passed
    assert experiment_arms_are_alike(Kairos()).passed
