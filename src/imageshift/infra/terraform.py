"""A Terraform module with everything the cache needs, as `terraform fmt` formats it.

Sources: the AWS provider's pages of the resources (facts 10); Terraform's documentation on
write-only arguments and ephemeral variables (Terraform 1.11).
"""

import re
from collections.abc import Sequence

from imageshift.infra.plan import InfraOptions, InfraRule, SecretMode
from imageshift.infra.render import render

__all__ = ["render_terraform"]

_FILES = ("versions.tf", "rules.tf", "templates.tf", "iam.tf", "registry.tf", "variables.tf")
_VERSIONS = {SecretMode.WRITE_ONLY: ">= 1.11", SecretMode.SENSITIVE: ">= 1.5"}


def render_terraform(
    rules: Sequence[InfraRule], options: InfraOptions, folder: str = "pull-through-cache"
) -> dict[str, str]:
    """The module's files by name; `folder` is what its README calls it.

    Raises:
        ConfigError: jinja2 isn't installed.
    """
    has_secrets = any(rule.secret_name for rule in rules)
    names = [*_FILES, "outputs.tf", "README.md", *(["secrets.tf"] if has_secrets else [])]
    needs_new = has_secrets and options.secrets is SecretMode.WRITE_ONLY
    version = _VERSIONS[SecretMode.WRITE_ONLY if needs_new else SecretMode.SENSITIVE]
    # The README shows it inside a string of Terraform.
    shown = folder if re.fullmatch(r"[\w.-]+", folder) else "pull-through-cache"
    extra = {"folder": shown, "terraform_version": version}
    return {name: render(f"terraform/{name}.j2", rules, options, extra) for name in sorted(names)}
