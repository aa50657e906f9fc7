"""Every directive with texts that are no good texts: refused in one of the ways for that, or read again as it was."""

import contextlib

import pytest

from gossamer.cluster.text import text_of
from gossamer.node.config.config import Config
from gossamer.node.config.directives import BY_NAME, FILE_ONLY
from gossamer.node.config.errors import ConfigError, ConfigSetError
from gossamer.node.config.numbers import LONG_MAX, LONG_MIN, loose
from gossamer.node.config.parse import load_text
from gossamer.node.config.words import quote
from tests.integration.attack import NASTY


def read_nothing(path: str) -> list[tuple[str, str]]:
    raise OSError(path)


def taken(text: str) -> Config | None:
    config = Config()
    try:
        load_text(config, text, "node.conf", read_nothing)
    except ConfigError:
        return None
    return config


@pytest.mark.parametrize("name", [*BY_NAME, *FILE_ONLY, "include", "sentinel", "module.x"])
def test_a_directive_with_any_text_is_refused_or_comes_back(name: str) -> None:
    for nasty in map(text_of, NASTY):
        for words in ([nasty], [nasty, "1"], ["1", nasty], [nasty] * 4, ["normal", nasty, "1", "1"]):
            for line in (" ".join([name, *map(quote, words)]), " ".join([name, *words])):
                config = taken(line)
                again = config and taken(config.rewrite(""))
                assert config is None or (again is not None and again.get(["*", name]) == config.get(["*", name])), line
        config = Config()
        with contextlib.suppress(ConfigSetError):
            config.set([(name, nasty)])


def test_a_number_longer_than_python_reads_stops_at_the_limit() -> None:
    assert loose("9" * 4999) == LONG_MAX
    assert loose("-" + "9" * 4999) == LONG_MIN
    assert loose("0" * 4999 + "7") == 7
