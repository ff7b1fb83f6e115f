"""imageshift policy: admission policies from the rules in force."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from imageshift.cache import RuleSet
from imageshift.cli.declare import argument, option
from imageshift.cli.options import Common, with_options
from imageshift.cli.output import emit, say, say_doubtful_accounts
from imageshift.errors import ConfigError
from imageshift.policy import (
    Action,
    ApiVersion,
    PolicyOptions,
    kyverno_policy,
    mutating_policy,
    steps_of,
    validating_policy,
)
from imageshift.reports.words import counted
from imageshift.rewrite import Kept
from imageshift.run import Run
from imageshift.sites import SkipReason

Paths = Annotated[
    list[Path] | None,
    argument(help="Files and folders that determine the registry.", show_default=False),
]

_ELSEWHERE = frozenset({SkipReason.NO_RULE, SkipReason.OTHER_ECR})


class PolicyCommon(Common, frozen=True, kw_only=True):
    """The options of all kinds of policies."""

    name: Annotated[str, option("--name", help="Name of the policy.")] = "imageshift"
    exclude_namespace: Annotated[
        list[str] | None,
        option("--exclude-namespace", help="Namespace to leave alone (default: kube-system)."),
    ] = None

    def policy_options(self) -> PolicyOptions:
        """The options as the library takes them."""
        excluded = self.exclude_namespace or ["kube-system"]
        return PolicyOptions(name=self.name, excluded=tuple(excluded))


_WITHOUT = ("format", "strict", "verbose", "follow", "jobs")


@with_options(PolicyCommon, without=_WITHOUT)
def kyverno(*, common: PolicyCommon, paths: Paths = None) -> None:
    """Print a Kyverno policy that moves the images of new pods."""
    _, rules = _opened(paths, common)
    emit(kyverno_policy(steps_of(rules), common.policy_options()))


@with_options(PolicyCommon, without=_WITHOUT)
def mutating(
    *,
    common: PolicyCommon,
    paths: Paths = None,
    api_version: Annotated[
        ApiVersion,
        option("--api-version", help="v1 since Kubernetes 1.36, v1beta1 for 1.34 and 1.35."),
    ] = ApiVersion.V1,
) -> None:
    """Print a MutatingAdmissionPolicy that moves the images of new pods."""
    _, rules = _opened(paths, common)
    emit(mutating_policy(steps_of(rules), common.policy_options(), api_version))


@with_options(PolicyCommon, without=_WITHOUT)
def validating(
    *,
    common: PolicyCommon,
    paths: Paths = None,
    action: Annotated[
        Action, option("--action", help="What happens to a pod whose image should move.")
    ] = Action.DENY,
    only_cache: Annotated[
        bool,
        option("--only-cache", help="Also match images without a rule, except those in the paths."),
    ] = False,
) -> None:
    """Print a ValidatingAdmissionPolicy for images that should move."""
    run, rules = _opened(paths, common)
    steps, options = steps_of(rules), common.policy_options()
    if not only_cache:
        emit(validating_policy(steps, options, action))
        return
    exceptions = set(_exceptions(run, rules)) if paths else set()
    emit(validating_policy(steps, options, action, rules.registry.host, exceptions))
    if not common.quiet:
        say(f"{counted(len(exceptions), 'exception')} for images without a rule")


def _opened(paths: list[Path] | None, common: PolicyCommon) -> tuple[Run, RuleSet]:
    """A run over the paths, and the rules of the one registry that is meant."""
    run = Run.open(paths or [Path()], common.run_options())
    files = list(run.files()) if len(run.targets) > 1 and paths else []
    found = [run.rules_of(file) for file in files] or [target.rules for target in run.targets]
    hosts = sorted({rules.registry.host for rules in found})
    if len(hosts) > 1:
        raise ConfigError(
            f"a policy is for one registry, and there are {len(hosts)}: {', '.join(hosts)}",
            hint="name the files of one cluster",
        )
    say_doubtful_accounts([found[0].registry])
    return run, found[0]


def _exceptions(run: Run, rules: RuleSet) -> Iterator[str]:
    """The names of images that stay on other registries, as they are written and in full."""
    for plan in run.plans():
        for result in plan.results:
            if isinstance(result, Kept) and result.reason in _ELSEWHERE and result.before:
                normal = rules.normalize(result.before)
                yield from (result.before.full_name, result.before.familiar_name, normal.full_name)
