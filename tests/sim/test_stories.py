"""Every story in tests/scripts goes as it is written. To change what is written: ``python -m tests.sim.stories
--rewrite``.
"""

import pytest

from tests.sim.stories import SCRIPTS, StoryError, perform

STORIES = sorted(path.stem for path in SCRIPTS.glob("*.txt"))


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    text = (SCRIPTS / f"{name}.txt").read_text()
    assert perform(text) == text


def test_a_story_that_goes_otherwise_is_noticed() -> None:
    text = "cluster primaries=3\nn1> CLUSTER BUMPEPOCH\n----\nn1: +BUMPED 99\n"
    assert "+BUMPED 99" not in perform(text)


def test_nothing_is_printed_unseen() -> None:
    with pytest.raises(StoryError, match="prints"):
        perform("cluster primaries=3\nshow\n")
