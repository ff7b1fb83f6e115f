"""Texts from the templates of this package, by jinja2."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from imageshift.aws.role import PULL_ACTIONS
from imageshift.infra.plan import InfraOptions, InfraRule, SecretMode

__all__ = ["HEADER", "align", "render"]

HEADER = "# Written by imageshift infra: run it again rather than edit this file."
"""The first line of every file, by which a later run knows its own."""

_UPSTREAM_ACTIONS = (
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetImageCopyStatus",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def render(template: str, rules: Sequence[InfraRule], options: InfraOptions, **extra: str) -> str:
    """The text of one template for these rules; `extra` are further values that it uses."""
    prefixes = {rule.prefix for rule in rules}
    values = {
        "header": HEADER,
        "markdown_header": f"<!-- {HEADER.removeprefix('# ')} -->",
        "rules": rules,
        "secret_rules": [rule for rule in rules if rule.secret_name],
        # Under ROOT, repositories have no common prefix: everything is replicated.
        "replicated_rules": [] if any(rule.path == "*" for rule in rules) else rules,
        "imported": [rule.prefix for rule in options.existing if rule.prefix in prefixes],
        "credential_arns": {
            rule.prefix: arn
            for rule, arn in options.existing.items()
            if arn is not None and rule.prefix in prefixes
        },
        "other_account_rules": [rule for rule in rules if rule.other_registry],
        "pull_actions": PULL_ACTIONS,
        "upstream_actions": _UPSTREAM_ACTIONS,
        "name": options.name,
        "account": options.account,
        "region": options.region,
        "write_only": options.secrets is SecretMode.WRITE_ONLY,
        **extra,
    }
    return str(_environment().get_template(template).render(values))


def align(text: str, indent: int) -> str:
    r"""The lines `key = value` of a text with their `=` in one column, as `terraform fmt` has it.

    >>> align("a = 1\n\nbcd = 2", 2)
    '  a   = 1\n  bcd = 2\n'
    """
    pairs = [line.strip().split(" = ", 1) for line in text.splitlines() if line.strip()]
    width = max((len(key) for key, _ in pairs), default=0)
    return "".join(f"{' ' * indent}{key:{width}} = {value}\n" for key, value in pairs)


@cache
def _environment() -> Any:
    import jinja2  # noqa: PLC0415 where a text is asked for

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("imageshift.infra"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 HCL and YAML, which have no HTML in them
    )
    environment.filters["aligned"] = align
    return environment
