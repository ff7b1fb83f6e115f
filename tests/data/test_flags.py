"""Flags, variables and keys that hold images: names that can't be right are caught."""

import re

import pytest

from imageshift.data.config_map_keys import CONFIG_MAP_KEYS
from imageshift.data.flags import (
    ENVIRONMENT,
    ENVIRONMENT_PREFIXES,
    FLAGS,
    ImageOption,
)

_SOURCE = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+ [A-Za-z0-9._/-]+[A-Za-z0-9]")
_NO_IMAGE = re.compile(r"pull.?(secret|policy)|registry$", re.IGNORECASE)


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_flag_is_well_formed(flag: ImageOption) -> None:
    """A flag is lower-case words without its dashes, names an image, and has a source."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", flag.name)
    assert "image" in flag.name or flag.name.endswith("-reloader")
    assert not _NO_IMAGE.search(flag.name)
    assert _SOURCE.fullmatch(flag.source)


@pytest.mark.parametrize("variable", ENVIRONMENT, ids=lambda variable: variable.name)
def test_variable_is_well_formed(variable: ImageOption) -> None:
    """A variable is upper-case words, has a source, and no prefix of the table covers it."""
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(__?[A-Z0-9]+)*", variable.name)
    assert not _NO_IMAGE.search(variable.name)
    assert _SOURCE.fullmatch(variable.source)
    assert not any(variable.name.startswith(prefix.name) for prefix in ENVIRONMENT_PREFIXES)


def test_tables_are_sorted_and_without_doubles() -> None:
    """Each flag stands once; a variable may have two programs, but each of them once."""
    flags = [flag.name for flag in FLAGS]
    assert flags == sorted(set(flags))
    variables = [(variable.name, variable.source) for variable in ENVIRONMENT]
    assert variables == sorted(set(variables))
    keys = [(row.config_map, row.key, row.path) for row in CONFIG_MAP_KEYS]
    assert keys == sorted(set(keys))


def test_prefixes_end_at_a_word() -> None:
    """A prefix ends with an underscore, so that it can't end inside a word."""
    assert all(re.fullmatch(r"[A-Z_]+_", prefix.name) for prefix in ENVIRONMENT_PREFIXES)
    assert all(_SOURCE.fullmatch(prefix.source) for prefix in ENVIRONMENT_PREFIXES)


@pytest.mark.parametrize(
    ("name", "tagless"),
    [
        ("prometheus-config-reloader", False),
        ("thanos-default-base-image", True),
        ("acme-http01-solver-image", False),
        ("entrypoint-image", False),
        ("executor-image", False),
    ],
)
def test_flag_of_the_facts_is_there(name: str, *, tagless: bool) -> None:
    """Fact H1's flags are known, and those that take no tag are marked."""
    assert [flag.tagless for flag in FLAGS if flag.name == name] == [tagless]


def test_cloudnative_pg_variable_is_there() -> None:
    """CloudNativePG starts its instances' init container from OPERATOR_IMAGE_NAME."""
    assert "OPERATOR_IMAGE_NAME" in {variable.name for variable in ENVIRONMENT}
