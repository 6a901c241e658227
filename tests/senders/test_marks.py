"""The mark survives torn writes."""

from senders.ledger.mark import Mark, MarkFile


def test_a_torn_write_leaves_the_mark_before_it(tmp_path):
    path = tmp_path / "mark"
    for number in range(1, 4):
        marks = MarkFile(path)
        marks.write(Mark(number, bytes([number] * 32), number))
        marks.close()
    whole = path.read_bytes()
    newest = whole.index(b"[3, ")

    for cut in range(newest, newest + 40):
        path.write_bytes(whole[:cut] + b"\x00" + whole[cut + 1 :])
        assert MarkFile(path).read().seq in (2, 3)
    path.write_bytes(b"\xff" * 512)
    assert MarkFile(path).read() is None


def test_the_latest_write_counts_even_if_its_numbers_are_smaller(tmp_path):
    marks = MarkFile(tmp_path / "mark")
    marks.write(Mark(9, bytes(32), 900))
    marks.write(Mark(4, bytes(32), 100))

    assert marks.read() == Mark(4, bytes(32), 100)
