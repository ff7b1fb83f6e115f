"""What must hold for every reference: parts and text are two forms of one value."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imageshift.errors import InvalidReferenceError
from imageshift.reference import ImageReference, has_host, name_length, parse_reference

from .strategies import hosts, identifiers, names, repositories, spell, texts

pytestmark = pytest.mark.property


@given(hosts, repositories, identifiers)
def test_parts_come_back(
    host: str, repository: str, identifier: tuple[str | None, str | None]
) -> None:
    """A host, a repository, a tag and a digest that are put together are read as the same."""
    expected = ImageReference(host, repository, *identifier)
    assert parse_reference(spell(f"{host}/{repository}", identifier)) == expected


@given(texts)
def test_normalized_text_is_the_reference(text: str) -> None:
    """The normalised text is read as the same reference, and normalising it changes nothing."""
    reference = parse_reference(text)
    assert parse_reference(reference.normalized) == reference
    assert parse_reference(reference.normalized).normalized == reference.normalized


@given(texts)
@example("docker.io/ghcr.io/app")
@example("docker.io/" + "a" * 64)
def test_familiar_text_is_the_reference(text: str) -> None:
    """The familiar text is read as the same reference, and is never the longer one."""
    reference = parse_reference(text)
    assert parse_reference(reference.familiar) == reference
    assert len(reference.familiar) <= len(reference.normalized)


@given(names, identifiers)
def test_tag_and_digest_are_kept(name: str, identifier: tuple[str | None, str | None]) -> None:
    """Tag and digest come out byte for byte, and the name ends where they begin."""
    text = spell(name, identifier)
    assert parse_reference(text).identifier == text[len(name) :]
    assert name_length(text) == len(name)


@given(names)
def test_host_is_told(name: str) -> None:
    """Whether a name has a host decides what its registry is."""
    registry = name.partition("/")[0] if has_host(name) else "docker.io"
    assert parse_reference(name).registry == registry


@given(st.text() | st.text("aA1/:@._-${}()[] \n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in another way, and what it reads it prints."""
    with suppress(InvalidReferenceError):
        reference = parse_reference(text)
        assert reference.normalized.endswith(text.removeprefix("index.docker.io/"))
        assert parse_reference(reference.normalized) == reference
