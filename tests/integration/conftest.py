"""The ``nodes`` of a test, and their logs if it fails."""

from collections.abc import Generator, Iterator

import pytest

from tests.integration.nodes import Nodes


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    with Nodes() as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    started = item.funcargs.get("nodes") if report.when == "call" and report.failed else None
    if isinstance(started, Nodes):
        for node in started.nodes:
            report.sections.append((f"log of {node!r}", node.log_tail()))
    return report
