"""One CloudFormation template with everything the cache needs.

Sources: the CloudFormation User Guide's pages of the types (facts 10). Credentials are
parameters with NoEcho: no value of them stands in the template.
"""

from collections.abc import Sequence

from imageshift.infra.plan import InfraOptions, InfraRule
from imageshift.infra.render import render

__all__ = ["render_cloudformation"]


def render_cloudformation(rules: Sequence[InfraRule], options: InfraOptions) -> dict[str, str]:
    """The template's file by name."""
    name = "pull-through-cache.yaml"
    return {name: render("cloudformation/template.yaml.j2", rules, options)}
