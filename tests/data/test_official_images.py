"""The names of Docker Official Images."""

import ast
import inspect
import re

import pytest

from imageshift.data import official_images
from imageshift.data.official_images import ARCHIVED_OFFICIAL_IMAGES, OFFICIAL_IMAGES

_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*")


def test_every_name_is_one_path_part() -> None:
    """A name fits distribution's grammar for one part of a path, so it can follow `library/`."""
    assert [name for name in OFFICIAL_IMAGES if not _NAME.fullmatch(name)] == []


@pytest.mark.parametrize("name", ["nginx", "busybox", "rocket.chat", "php-zendserver", "r-base"])
def test_a_current_name_is_official(name: str) -> None:
    """Names of today's folder are there, dots and dashes included."""
    assert name in OFFICIAL_IMAGES - ARCHIVED_OFFICIAL_IMAGES


@pytest.mark.parametrize("name", ["centos", "java", "vault", "consul", "ubuntu-upstart"])
def test_an_archived_name_is_official(name: str) -> None:
    """Names that left the folder are still names under `docker.io/library`."""
    assert name in ARCHIVED_OFFICIAL_IMAGES
    assert name in OFFICIAL_IMAGES


@pytest.mark.parametrize("name", ["scratch", "controller", "app", "bitnami", "MAINTAINERS"])
def test_other_names_are_not_official(name: str) -> None:
    """What can't be pulled, is a placeholder, or is an organisation is not in the list."""
    assert name not in OFFICIAL_IMAGES


def test_source_lists_names_sorted_and_once() -> None:
    """Both sets are written in order and without doubles, so that a diff shows what changed."""
    sets = [
        [str(element.value) for element in node.elts if isinstance(element, ast.Constant)]
        for node in ast.walk(ast.parse(inspect.getsource(official_images)))
        if isinstance(node, ast.Set)
    ]
    assert [len(names) for names in sets] == [36, 144]
    assert all(names == sorted(set(names)) for names in sets)
