"""A Terraform module with everything the cache needs, as `terraform fmt` formats it.

Sources: the AWS provider's pages of the resources (facts 10); Terraform's documentation on
write-only arguments and ephemeral variables (Terraform 1.11).
"""

from collections.abc import Sequence

from imageshift.errors import ConfigError
from imageshift.infra.plan import InfraOptions, InfraRule, SecretMode
from imageshift.infra.render import render
from imageshift.lazy import lazy_re

__all__ = ["render_example", "render_terraform"]

_FILES = (
    "README.md",
    "data.tf",
    "iam.tf",
    "locals.tf",
    "outputs.tf",
    "registry.tf",
    "rules.tf",
    "templates.tf",
    "variables.tf",
    "versions.tf",
)
# Write-only arguments came with 1.11; the bound without them is a cautious one.
_VERSIONS = {SecretMode.WRITE_ONLY: ">= 1.11", SecretMode.SENSITIVE: ">= 1.9"}
# The grammar of the provider's ecr_repository_prefix is narrower than ECR's.
_PREFIX = lazy_re(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*/?|ROOT")


def render_terraform(rules: Sequence[InfraRule], options: InfraOptions) -> dict[str, str]:
    """The module's files by name.

    Raises:
        ConfigError: Terraform's provider refuses a prefix.
    """
    _refuse_prefixes(rules)
    names = [*_FILES, *(["secrets.tf"] if _has_secrets(rules) else [])]
    return {name: _render(name, rules, options) for name in sorted(names)}


def render_example(rules: Sequence[InfraRule], options: InfraOptions) -> dict[str, str]:
    """The files of a root module that calls the module two folders above, by name."""
    names = ["main.tf", *(["imports.tf"] if options.existing else [])]
    return {name: _render(f"example/{name}", rules, options) for name in names}


def _render(name: str, rules: Sequence[InfraRule], options: InfraOptions) -> str:
    mode = options.secrets if _has_secrets(rules) else SecretMode.SENSITIVE
    return render(f"terraform/{name}.j2", rules, options, terraform_version=_VERSIONS[mode])


def _has_secrets(rules: Sequence[InfraRule]) -> bool:
    return any(rule.secret_name for rule in rules)


def _refuse_prefixes(rules: Sequence[InfraRule]) -> None:
    for rule in rules:
        if not _PREFIX.fullmatch(rule.prefix):
            raise ConfigError(
                f"Terraform's provider refuses the prefix {rule.prefix}, though ECR takes it",
                hint="put a single - _ or . between letters and digits, or use CloudFormation",
            )
