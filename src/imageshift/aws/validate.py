"""`rules validate`: does the account have the rules in use, and do they work?

Sources: ECR's API (`ValidatePullThroughCacheRule`, `DescribeRepositories`), the ECR User Guide
on quotas, IAM permissions and tag immutability (facts 1, 4, 5, 6); IAM's
`SimulatePrincipalPolicy`. Not tried against a live account.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from imageshift.aws.arn import secret_problem
from imageshift.aws.client import AwsOptions, ask, open_client
from imageshift.aws.compare import Difference, DifferenceKind, compare_rules, rules_in_use
from imageshift.aws.describe import describe_with
from imageshift.aws.found import FoundRule
from imageshift.aws.mutability import MutabilityFacts, immutable_problems, read_mutability
from imageshift.aws.role import denied_actions, lacking_policies
from imageshift.aws.used import UsedImage
from imageshift.cache import Rule, RuleSet
from imageshift.data.upstreams import alias_of, find_upstream, remedy
from imageshift.ecr import Registry, parse_ecr_host, partition_of
from imageshift.errors import ToolError

__all__ = ["QUOTA", "Finding", "FindingCode", "RuleVerdict", "Validation", "validate_rules"]

QUOTA = 50
"""Pull through cache rules per registry and region; AWS doesn't raise it (L-6EF7FC96)."""


class FindingCode(StrEnum):
    """What can be wrong with a rule or an account."""

    MISSING = "missing"
    OTHER_UPSTREAM = "other-upstream"
    OTHER_PREFIX = "other-prefix"
    UNSUPPORTED_UPSTREAM = "unsupported-upstream"
    CREDENTIAL_MISSING = "credential-missing"
    CREDENTIAL_WRONG = "credential-wrong"
    ROLE_MISSING = "role-missing"
    NOT_VALID = "not-valid"
    IMMUTABLE_TAGS = "immutable-tags"
    ROLE_DENIED = "role-denied"
    QUOTA = "quota"
    NO_RULE = "no-rule"


class Finding(Struct, frozen=True):
    """Something that is wrong, and what to do about it."""

    code: FindingCode
    message: str
    hint: str | None = None


class RuleVerdict(Struct, frozen=True):
    """What was found about one rule; `images` use it, `is_valid` is ECR's own answer."""

    rule: Rule
    images: int
    is_valid: bool | None
    findings: tuple[Finding, ...]


class Validation(Struct, frozen=True):
    """The verdicts on all rules asked about, findings on the account, and notes."""

    registry: Registry
    verdicts: tuple[RuleVerdict, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings and not any(one.findings for one in self.verdicts)


def validate_rules(
    rules: RuleSet,
    used: Iterable[UsedImage],
    options: AwsOptions,
    *,
    every: bool = False,
    role: str | None = None,
) -> Validation:
    """Checks the rules that images use (`every`: all rules in force) against the account.

    Raises:
        ConfigError: boto3 isn't installed, or no region is known.
        ToolError: AWS refused to list or validate the rules, or can't be reached.
    """
    used = tuple(used)
    ecr = open_client("ecr", options)
    iam = None if role is None else open_client("iam", options)
    busy = rules_in_use(rules, used)
    counts = {rule: len(busy.get(rule, ())) for rule in rules.rules if every or rule in busy}
    return _Check(rules, options, ecr, iam, role).run(counts, used)


class _Check(Struct, frozen=True):
    rules: RuleSet
    options: AwsOptions
    ecr: Any
    iam: Any
    role: str | None

    def run(self, counts: dict[Rule, int], used: Sequence[UsedImage]) -> Validation:
        found = describe_with(self.ecr, self.options)
        differences = {one.subject: one for one in compare_rules(self.rules, found.rules)}
        mutability, notes = self._mutability()
        verdicts = [
            self._verdict(rule, count, found.rules, differences.get(rule.prefix), mutability)
            for rule, count in counts.items()
        ]
        account = _quota(verdicts, len(found.rules))
        notes = [*notes, *map(str, found.problems), f"{len(found.rules)} of {QUOTA} rules exist"]
        denied, role_notes = self._role(list(counts))
        return Validation(
            self.rules.registry,
            tuple(verdicts),
            (*account, *denied, *_uncovered(used, found.rules)),
            (*notes, *role_notes, *_region_notes(self.rules.registry)),
        )

    def _verdict(
        self,
        rule: Rule,
        count: int,
        found: Sequence[FoundRule],
        difference: Difference | None,
        mutability: MutabilityFacts,
    ) -> RuleVerdict:
        there = next((one for one in found if one.rule == rule), None)
        if there is None:
            return RuleVerdict(rule, count, None, (_absent(rule, difference),))
        valid, invalid = self._ask(rule, there)
        immutable = [
            Finding(FindingCode.IMMUTABLE_TAGS, message, "make the tags mutable, as AWS advises")
            for message in immutable_problems(rule.prefix, mutability)
        ]
        findings = (*_credentials(there, self.rules.registry), *invalid, *immutable)
        return RuleVerdict(rule, count, valid, findings)

    def _ask(self, rule: Rule, there: FoundRule) -> tuple[bool | None, tuple[Finding, ...]]:
        operation = "validate_pull_through_cache_rule"
        asked = {"ecrRepositoryPrefix": rule.prefix, **self.options.registry_id}
        answer = ask(self.ecr, operation, self.options, **asked)
        if answer.get("isValid") is not False:
            return True if answer.get("isValid") is True else None, ()
        failure = answer.get("failure") or "no reason is given"
        hint = (
            "renew the secret's user name and token, then validate again"
            if there.has_credential
            else "see what ECR says about the upstream, then validate again"
        )
        return False, (Finding(FindingCode.NOT_VALID, f"ECR says: {failure}", hint),)

    def _mutability(self) -> tuple[MutabilityFacts, list[str]]:
        try:
            return read_mutability(self.ecr, self.options), []
        except ToolError as error:
            return MutabilityFacts(), [f"tag immutability wasn't checked: {error}"]

    def _role(self, rules: list[Rule]) -> tuple[list[Finding], list[str]]:
        if self.role is None:
            return [], ["no role was checked: --role names the nodes' role"]
        denied = denied_actions(self.iam, self.role, self.rules.registry, rules, self.options)
        findings = [
            Finding(
                FindingCode.ROLE_DENIED,
                f"{self.role} may not {action} on {resource}",
                "imageshift infra terraform writes the policy that allows it",
            )
            for action, resource in denied
        ]
        if not findings:
            prefixes = ", ".join(rule.prefix for rule in rules)
            return [], [
                f"{self.role} may pull through {prefixes}, according to IAM's policy simulator"
            ]
        note = "a registry policy may allow more, which the simulator doesn't see"
        return findings, [*self._lacking(self.role), note]

    def _lacking(self, role: str) -> list[str]:
        try:
            return lacking_policies(self.iam, role, self.options)
        except ToolError as error:
            return [f"its managed policies weren't checked: {error}"]


def _absent(rule: Rule, difference: Difference | None) -> Finding:
    if find_upstream(rule.upstream) is None:
        return Finding(
            FindingCode.UNSUPPORTED_UPSTREAM, f"ECR can't cache {rule.upstream}", "remove the rule"
        )
    if difference is None or difference.kind is DifferenceKind.MISSING:
        hint = "imageshift infra terraform (or cloudformation) writes it"
        return Finding(FindingCode.MISSING, "the account has no such rule", hint)
    hint = "use the account's own rules: --rules-from aws"
    return Finding(FindingCode(difference.kind.value), difference.message, hint)


def _credentials(there: FoundRule, registry: Registry) -> list[Finding]:
    upstream = find_upstream(there.rule.upstream)
    if upstream is None:
        return []
    if upstream.kind == "ecr":
        return _custom_role(there, registry)
    if upstream.needs_secret and not there.has_credential:
        message = f"{upstream.title} needs credentials, and the rule has none"
        hint = f"a secret ecr-pullthroughcache/… with {upstream.credential}"
        return [Finding(FindingCode.CREDENTIAL_MISSING, message, hint)]
    if there.credential_arn is None:
        return []
    problem = secret_problem(there.credential_arn, registry)
    hint = "ECR needs a secret named ecr-pullthroughcache/… in the rule's account and region"
    return [] if problem is None else [Finding(FindingCode.CREDENTIAL_WRONG, problem, hint)]


def _custom_role(there: FoundRule, registry: Registry) -> list[Finding]:
    host = parse_ecr_host(there.rule.upstream)
    same_account = host is None or host.account == registry.account
    if same_account or there.custom_role_arn is not None:
        return []
    message = (
        f"{there.rule.upstream} is another account's, and the rule has no role for it: ECR's own "
        "service-linked role can't leave its account"
    )
    hint = "a rule with customRoleArn, which imageshift infra writes with its role"
    return [Finding(FindingCode.ROLE_MISSING, message, hint)]


def _quota(verdicts: list[RuleVerdict], existing: int) -> list[Finding]:
    missing = sum(
        finding.code is FindingCode.MISSING for one in verdicts for finding in one.findings
    )
    if missing == 0 or existing + missing <= QUOTA:
        return []
    message = f"{existing} rules exist and {missing} are missing: a registry takes {QUOTA}"
    return [Finding(FindingCode.QUOTA, message, "AWS doesn't raise this quota: remove rules")]


def _uncovered(used: Sequence[UsedImage], existing: Sequence[FoundRule]) -> list[Finding]:
    """The upstreams of images that no rule in force covers, and whether the account has one."""
    hosts = {image.upstream.registry for image in used if image.target is None}
    theirs = {one.rule.upstream for one in existing}
    findings = []
    for host in sorted(host for host in hosts if find_upstream(host) or alias_of(host)):
        if alias_of(host) is not None:
            message = f"images of {host} are used, and no rule covers them"
            hint = remedy(host)
        elif host in theirs:
            message = f"images of {host} are used, and only the account has a rule for it"
            hint = "use the account's own rules: --rules-from aws"
        else:
            message = f"images of {host} are used, and the account has no rule for it"
            hint = f"add one: --rule {host}=PREFIX; imageshift infra writes it"
        findings.append(Finding(FindingCode.NO_RULE, message, hint))
    return findings


def _region_notes(registry: Registry) -> list[str]:
    if partition_of(registry.region) == "aws":
        return []
    return [f"AWS doesn't document whether {registry.region} has pull through cache"]
