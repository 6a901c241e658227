"""Kill -9 at random moments: nobody is mailed twice, nothing is lost, no cap or unsubscribe is overlooked."""

from tests.senders.chaos import run_cycles

FORBIDDEN = ("doubled", "lost", "without_intent", "over_cap", "after_unsubscribe", "audit_broken")


def test_no_kill_makes_a_double_or_a_loss(tmp_path):
    toll = run_cycles(15, seed=1, folder=tmp_path)

    assert {name: toll[name] for name in FORBIDDEN} == dict.fromkeys(FORBIDDEN, 0)
    assert toll["kills"] == 15 and toll["accepted"] > 80


def test_the_count_notices_a_sender_without_the_intent(tmp_path):
    toll = run_cycles(4, seed=1, folder=tmp_path, mutate="no_intent")

    assert toll["doubled"] > 0 and toll["without_intent"] > 0
