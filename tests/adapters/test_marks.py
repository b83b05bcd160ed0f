"""Disputed records are marked for whoever reads the sink, for as long as they are disputed."""

from tests.adapters.stores import Store, bundle, disputed

HANGZHOU = ("1", "3301", 90)
NINGBO = ("2", "3302", 95)


def test_marks_are_those_of_the_last_word(store: Store) -> None:
    sink = store.open()
    sink.commit(bundle(0, [HANGZHOU, NINGBO], versions=[1, 2]))
    sink.mark([])
    assert disputed(store) == []
    sink.mark([(1, "aa", 1_000), (2, "bb", 2_000), (9, "cc", 3_000)])
    assert disputed(store) == [("1", "aa"), ("2", "bb")]
    sink.mark([(2, "bb", 2_000), (2, "dd", 4_000)])
    assert disputed(store) == [("2", "bb"), ("2", "dd")]
    sink.close()
    again = store.open()
    assert disputed(store) == [("2", "bb"), ("2", "dd")]
    again.mark([])
    assert disputed(store) == []
    again.close()


def test_a_mark_comes_before_its_record_or_after(store: Store) -> None:
    sink = store.open()
    sink.mark([(1, "aa", 1_000)])
    sink.commit(bundle(0, [HANGZHOU], versions=[1]))
    assert disputed(store) == [("1", "aa")]
    sink.close()


def test_a_corrected_record_is_no_longer_the_disputed_one(store: Store) -> None:
    sink = store.open()
    sink.commit(bundle(0, [HANGZHOU], versions=[1]))
    sink.mark([(1, "aa", 1_000)])
    sink.commit(bundle(1, [("1", "3301", 91)], versions=[2]))
    if store.kind != "jsonl":  # a journal keeps every version, and says so
        assert disputed(store) == []
    sink.close()
