"""What holds for all tests: they run the build that was asked for, and in continuous integration none is left out.

A test that needs a program which may be missing skips with a reason that says how to install it. Under
``GOSSAMER_REQUIRE_ALL=1`` such a skip is a failure; other skips stay what they are.
"""

import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Final, TypeVar

import pytest
from hypothesis import settings

import gossamer.node.resp.parser
from gossamer.cluster import build

MISSING: Final = re.compile(r"\binstall\b|could not import|no module named", re.IGNORECASE)
REQUIRE_ALL: Final = os.environ.get("GOSSAMER_REQUIRE_ALL") == "1"

assert gossamer.node.resp.parser, "which build runs can be told once a hot module is there"

NOTHING_COMPILED: Final = ("tidy", "unit/deploy", "unit/gossip")
"""Folders of tests to which both builds are the same."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


settings.register_profile("gossamer", deadline=None)  # a busy machine is no fault
settings.load_profile("gossamer")


def pytest_configure() -> None:
    expected = os.environ.get("GOSSAMER_EXPECT_BUILD")
    if expected and expected != build.name():
        raise pytest.UsageError(f"the {expected} build is to be tested, but the {build.name()} one is here")


def pytest_report_header() -> str:
    return f"gossamer: {build.name()} build"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folders = [Path(__file__).parent / name for name in NOTHING_COMPILED]
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in folders):
            item.add_marker("once")


def refuse_skip(report: Report) -> Report:
    """``report``, as a failure if it is a skip for something that could be installed."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        where, line, reason = report.longrepr
        if MISSING.search(reason):
            report.outcome = "failed"
            report.longrepr = f"{where}:{line}: may not be skipped here: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return refuse_skip((yield))
