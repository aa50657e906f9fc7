"""What only an extra of the package brings is imported in one place, and there when it is needed."""

import ast
from collections.abc import Iterator

from tests.tidy.floors import lines_outside

CIPHERS = "gossamer.node.io.aes"


def asks_for_cryptography(tree: ast.AST) -> Iterator[int]:
    """Lines that import it."""
    for item in ast.walk(tree):
        if isinstance(item, ast.Import):
            names = [alias.name for alias in item.names]
        elif isinstance(item, ast.ImportFrom):
            names = [item.module or ""]
        else:
            continue
        if any(name.partition(".")[0] == "cryptography" for name in names):
            yield item.lineno


def asks_for_ciphers(tree: ast.AST) -> Iterator[int]:
    """Lines that import ``CIPHERS`` when their module is imported."""
    for item in tree.body if isinstance(tree, ast.Module) else []:
        if isinstance(item, ast.ImportFrom) and item.module == CIPHERS:
            yield item.lineno


def test_cryptography_is_asked_for_in_one_place() -> None:
    assert lines_outside(CIPHERS, asks_for_cryptography) == []
    assert lines_outside(CIPHERS, asks_for_ciphers) == [], "without a key nobody needs it: import it in a function"


def test_an_import_is_seen() -> None:
    for source in (
        "import cryptography",
        "from cryptography.fernet import Fernet",
        "def f():\n    import cryptography.x",
    ):
        assert list(asks_for_cryptography(ast.parse(source)))
    assert list(asks_for_ciphers(ast.parse(f"from {CIPHERS} import AesKey")))
