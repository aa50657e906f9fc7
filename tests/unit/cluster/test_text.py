from hypothesis import given
from hypothesis import strategies as st

from gossamer.cluster.text import bytes_of, text_of


@given(st.binary())
def test_bytes_survive_being_text(data: bytes) -> None:
    assert bytes_of(text_of(data)) == data


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_at_all_becomes_bytes(text: str) -> None:
    assert isinstance(bytes_of(text), bytes)


def test_good_text_is_what_it_says() -> None:
    assert text_of("Gerät".encode()) == "Gerät"
    assert bytes_of("Gerät") == "Gerät".encode()
