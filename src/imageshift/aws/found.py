"""Rules as they were found somewhere: in an account, in Terraform, in a saved answer.

Sources: botocore's ECR model, `PullThroughCacheRule` (no field of an answer is required: facts
1.3); the arguments of Terraform's and CloudFormation's resources (facts 10).
"""

from collections.abc import Iterable

from msgspec import Struct

from imageshift.cache import Rule, RuleOrigin
from imageshift.errors import RuleError
from imageshift.lazy import lazy_re

__all__ = ["FoundRule", "Problem", "RuleImport", "build_found", "merge_imports"]

# The longest host by DNS; a prefix may have 30 characters.
_LONGEST = 253
# The characters of roles and secrets: none that ends a string in Terraform, YAML or a shell.
_ARN = lazy_re(r"arn:[A-Za-z0-9:/_+=,.@-]{1,2044}")


class FoundRule(Struct, frozen=True, kw_only=True):
    """A rule with the place it was found at (`path:line:col`, or `aws` and the region).

    `credential_arn` is None when there is none; `has_credential` also holds where the ARN is
    known only after an apply.
    """

    rule: Rule
    place: str
    kind: str | None = None
    credential_arn: str | None = None
    has_credential: bool = False
    custom_role_arn: str | None = None
    account: str | None = None


class Problem(Struct, frozen=True):
    """A rule that was found but can't be used; `str()` is `path:line:col: text`."""

    place: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class RuleImport(Struct, frozen=True):
    """What a source holds: rules, and problems with others."""

    rules: tuple[FoundRule, ...] = ()
    problems: tuple[Problem, ...] = ()


def merge_imports(imports: Iterable[RuleImport]) -> RuleImport:
    """All of several imports; what stands in two of them in the same words counts once."""
    rules: dict[tuple[Rule, str | None], FoundRule] = {}
    problems: dict[Problem, None] = {}
    for found in imports:
        problems |= dict.fromkeys(found.problems)
        for rule in found.rules:
            rules.setdefault((rule.rule, rule.account), rule)
    return RuleImport(tuple(rules.values()), tuple(problems))


def build_found(  # noqa: PLR0913 these are the fields of ECR's own object
    prefix: object,
    url: object,
    *,
    place: str,
    upstream_prefix: object = None,
    kind: object = None,
    credential: object = None,
    role: object = None,
    account: object = None,
) -> RuleImport:
    """One rule from the fields of ECR's object, or the problem with it.

    A credential that isn't text yet (an ARN made by the same apply) still counts as one.
    """
    missing = [
        name
        for name, value in (("repository prefix", prefix), ("upstream registry", url))
        if not isinstance(value, str) or not value
    ]
    if missing:
        return RuleImport((), (Problem(place, f"the rule has no {' and no '.join(missing)}"),))
    if any(len(str(value)) > _LONGEST for value in (prefix, url, _text(upstream_prefix))):
        return RuleImport((), (Problem(place, "the rule has a value that is too long for ECR"),))
    try:
        rule = Rule(str(url), str(prefix), _text(upstream_prefix), RuleOrigin.IMPORTED)
    except RuleError as error:
        return RuleImport((), (Problem(place, str(error), error.hint),))
    found = FoundRule(
        rule=rule,
        place=place,
        kind=_text(kind),
        credential_arn=_arn(credential),
        has_credential=bool(credential),
        custom_role_arn=_arn(role),
        account=_text(account),
    )
    return RuleImport((found,))


def _arn(value: object) -> str | None:
    # Somebody's password in its place must not be shown.
    return value if isinstance(value, str) and _ARN.fullmatch(value) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
