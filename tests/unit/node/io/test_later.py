"""OpenSSL is loaded when somebody needs it, and then works as ever."""

import subprocess
import sys

import pytest

LOADED = "print('_ssl' in sys.modules, '_hashlib' in sys.modules)"


def printed(*lines: str) -> list[str]:
    """What a new interpreter prints that has imported the node and runs ``lines``."""
    code = "\n".join(["import sys", "import gossamer.node.io.serve", *lines])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()


def test_a_node_that_needs_no_openssl_does_not_load_it() -> None:
    assert printed(LOADED) == ["False False"]


@pytest.mark.parametrize(
    "use",
    [
        "import ssl; print(ssl.SSLContext is type(ssl.create_default_context()))",
        "from trio._ssl import _stdlib_ssl; import ssl; print(_stdlib_ssl.SSLError is ssl.SSLError)",
        "from hashlib import sha1; print(len(sha1(b'').digest()) == 20)",
        "import hmac; print(hmac.compare_digest(b'a', b'a') and hmac.new is sys.modules['hmac'].new)",
        "import ssl; print(not hasattr(ssl, 'no_such_thing') and not hasattr(ssl, 'no_such_thing'))",
        "import inspect, ssl; inspect.getmodule(print); print('_ssl' not in sys.modules)",
    ],
)
def test_who_asks_for_it_gets_it(use: str) -> None:
    assert printed(use) == ["True"]
