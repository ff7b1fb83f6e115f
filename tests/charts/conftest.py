"""What the chart tests share: the article's mapping and the two renderers."""

import importlib.util
import os

import pytest

from imageshift.cache import ARTICLE_RULES, Mapped, Registry, RuleSet
from imageshift.charts.rendering.render import BinaryRenderer, Renderer, SdkRenderer
from imageshift.charts.solving.override import Mapper
from imageshift.errors import InvalidReferenceError


@pytest.fixture(scope="session")
def mapper() -> Mapper:
    """Return the article's mapping."""
    rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)

    def target(text: str) -> str | None:
        try:
            outcome = rules.map(rules.parse(text))
        except InvalidReferenceError:
            return None
        return outcome.target.normalized if isinstance(outcome, Mapped) else None

    return target


@pytest.fixture(scope="session")
def sdk() -> Renderer:
    """Return the renderer inside this process."""
    if importlib.util.find_spec("helm_python") is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("needs imageshift[charts]")
    return SdkRenderer()


@pytest.fixture(scope="session")
def binary() -> Renderer:
    """Return the renderer by the helm program."""
    return BinaryRenderer("helm")
