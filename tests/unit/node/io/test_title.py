"""The title of a process says what its template asks for, in text that the system takes."""

import pytest

from gossamer.node.config import Config
from gossamer.node.io import title


def config(**values: str) -> Config:
    out = Config()
    for name, value in values.items():
        out.load(name.replace("_", "-"), [value])
    return out


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{title} {listen-addr} {server-mode}", "gossamer *:7000 [cluster]"),
        (" {port}:{tls-port} ", "7000:0"),
        ("{{title} {config-file}", "{title} /etc/redis.conf"),
        ("a}b {unixsocket}", "a}b"),
    ],
)
def test_variables_are_replaced_and_blanks_around_are_dropped(template: str, made: str) -> None:
    settings = config(port="7000", cluster_enabled="yes", proc_title_template=template)
    assert title.expand(settings, "/etc/redis.conf") == made


def test_without_a_port_the_socket_is_the_address() -> None:
    assert title.expand(config(port="0", unixsocket="/run/s"), "") == "gossamer unixsocket:/run/s"


def test_a_template_of_which_nothing_is_left_is_refused() -> None:
    assert title.fault(config(proc_title_template="{server-mode}"), "") == title.WRONG
    assert title.fault(config(proc_title_template="{server-mode}", cluster_enabled="yes"), "") is None


@pytest.mark.parametrize(("made", "shown"), [("a\0b", "a"), ("\udcff", "\ufffd"), ("über", "über")])
def test_the_system_gets_valid_text_up_to_its_first_nul(made: str, shown: str) -> None:
    assert title.printable(made) == shown


def test_an_installation_without_setproctitle_keeps_its_old_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(title, "setproctitle", None)
    title.show(config(), "")
