"""Results kept in memory: made once, bounded, and nobody waits for somebody else's."""

import threading

import pytest

from crowdselect.pipeline.cache import Memo


def test_made_once_and_the_oldest_dropped() -> None:
    kept, made = Memo(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, lambda key=key: made.append(key) or key) == key
    assert made == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept() -> None:
    kept = Memo(2)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0)
    assert kept.get("a", lambda: 7) == 7


def test_a_slow_result_holds_up_only_those_who_want_it() -> None:
    kept, begun, go, made = Memo(4), threading.Event(), threading.Event(), []

    def slow() -> str:
        made.append("slow")
        begun.set()
        assert go.wait(30)
        return "slow"

    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(kept.get("slow", slow))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    assert kept.get("quick", lambda: "quick") == "quick"
    go.set()
    for thread in threads:
        thread.join(30)
    assert found == ["slow"] * 3
    assert made == ["slow"]


def test_whoever_waits_tries_again_after_anothers_failure() -> None:
    kept, begun, go, found = Memo(4), threading.Event(), threading.Event(), []

    def cancelled() -> None:
        begun.set()
        assert go.wait(30)
        raise KeyboardInterrupt

    def first() -> None:
        with pytest.raises(KeyboardInterrupt):
            kept.get("a", cancelled)

    one = threading.Thread(target=first)
    one.start()
    assert begun.wait(30)
    two = threading.Thread(target=lambda: found.append(kept.get("a", lambda: "mine")))
    two.start()
    go.set()
    one.join(30)
    two.join(30)
    assert found == ["mine"]
