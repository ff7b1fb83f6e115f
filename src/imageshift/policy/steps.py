"""The mapping as a list of steps, each a prefix that gives way to another one.

An engine has neither our parser nor our rules. So the spellings of images are divided into classes
in each of which the mapping does the same: take a literal prefix off, put another one in front.
What it does in a class is asked of the rules themselves, with a probe.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from imageshift.cache import Mapped, Rule, RuleSet
from imageshift.ecr import ROOT
from imageshift.errors import ConfigError, InvalidReferenceError
from imageshift.reference import DOCKER_HUB, parse_reference

__all__ = ["Step", "steps_of"]

_PROBES = ("zz0", "zz0/zz1", "zz0/zz1/zz2")
_MANY = 3


class Step(Struct, frozen=True):
    """Images that begin with `strip` and have `parts` parts after it, 0 for any number.

    They get `put` in place of `strip`; None leaves them as they are. `parts` is 3 for three and
    more.
    """

    strip: str
    parts: int
    put: str | None

    @property
    def rest(self) -> str:
        """A regular expression for what follows `strip`, in RE2's syntax.

        It takes every valid reference of the class, and no backslash, which engines quote in ways
        of their own.
        """
        if self.parts == 0:
            return ".+"
        # A first part with a dot, a colon or a capital would be a host.
        first = "[a-z0-9_-]+" if not self.strip and self.parts > 1 else "[^/]+"
        more = "/.+" if self.parts == _MANY else ""
        return first + "/[^/]+" * (min(self.parts, 2) - 1) + more

    @property
    def pattern(self) -> str:
        """A regular expression for the whole image; a host's case doesn't matter."""
        host, slash, path = self.strip.partition("/")
        if "." in host or ":" in host:
            host, path = f"(?i:{_quoted(host)})", _quoted(path)
        return f"^{host}{slash}{path}{self.rest}$"


def steps_of(rules: RuleSet) -> tuple[Step, ...]:
    """The steps of a mapping; the first that an image fits says what happens to it.

    Raises:
        ConfigError: the registry's host is a variable.
    """
    if "$" in rules.registry.host:
        raise ConfigError(
            f"a policy can't contain the variable {rules.registry.host}",
            hint="name the registry with --account and --region, or --registry-host",
        )
    found = [Step("localhost/", 0, None)]
    for host, path in _spellings(rules):
        cuts = {"", *_cuts_below(_cuts(rules, host, path), path)}
        hub = (path or host).partition("/")[0] in {DOCKER_HUB, rules.registry.host}
        for cut in sorted(cuts, key=lambda cut: (-cut.count("/"), -len(cut), cut)):
            strip = "".join(f"{part}/" for part in (host, cut) if part)
            found += [_probed(rules, strip, parts) for parts in ((1, 2, 3) if hub else (0,))]
    return tuple(_needed(found))


def _spellings(rules: RuleSet) -> Iterator[tuple[str, str]]:
    """The hosts that an image may begin with, and what each stands for if that is something else.

    Docker Hub's name may be left out.
    """
    upstreams = sorted({rule.upstream for rule in rules.rules})
    yield from ((rules.registry.host, ""), *((upstream, "") for upstream in upstreams))
    yield from sorted(rules.known_aliases.items())
    if DOCKER_HUB in upstreams:
        yield "", DOCKER_HUB


def _cuts(rules: RuleSet, host: str, path: str) -> set[str]:
    """The paths at which the mapping of a host's repositories may differ from what is above."""
    if host == rules.registry.host:
        inside = {
            (rule, cut) for rule in rules.rules for cut in _upstream_cuts(rules, rule.upstream)
        }
        under = {
            "/".join(filter(None, (_prefix(rule), _relative(rule, cut)))) for rule, cut in inside
        }
        return under | {_prefix(rule) for rule in rules.rules}
    return _upstream_cuts(rules, path.partition("/")[0] or host)


def _upstream_cuts(rules: RuleSet, upstream: str) -> set[str]:
    """The paths of an upstream that have rules of their own, or another rule's place."""
    own = [rule for rule in rules.rules if rule.upstream == upstream]
    cuts = {rule.upstream_prefix or "" for rule in own}
    if upstream == DOCKER_HUB:
        cuts.add("library")
    for rule in own:
        for other in rules.rules:
            below = _below(_prefix(other), _prefix(rule))
            if below:
                cuts.add("/".join(filter(None, (rule.upstream_prefix, below))))
    return cuts


def _cuts_below(cuts: Iterable[str], path: str) -> Iterator[str]:
    """The cuts as they are seen from an alias that stands for a path."""
    inner = path.partition("/")[2]
    for cut in cuts:
        below = _below(cut, inner)
        if below:
            yield below


def _prefix(rule: Rule) -> str:
    return "" if rule.prefix == ROOT else rule.prefix


def _relative(rule: Rule, cut: str) -> str:
    return _below(cut, rule.upstream_prefix or "") or ""


def _below(path: str, above: str) -> str | None:
    """What a path has below another one; None where it isn't below."""
    if not above:
        return path
    return path.removeprefix(f"{above}/") if path.startswith(f"{above}/") else None


def _probed(rules: RuleSet, strip: str, parts: int) -> Step:
    """The step of a class, with what the rules do to an image in it."""
    probe = _PROBES[(parts or 2) - 1]
    try:
        outcome = rules.map(parse_reference(f"{strip}{probe}"))
    except InvalidReferenceError:
        return Step(strip, parts, None)
    if not isinstance(outcome, Mapped):
        return Step(strip, parts, None)
    return Step(strip, parts, outcome.target.full_name.removesuffix(probe))


def _needed(steps: list[Step]) -> Iterator[Step]:
    """The steps without those that leave images alone which no later step would touch."""
    for number, step in enumerate(steps):
        later = (other for other in steps[number + 1 :] if other.put is not None)
        if step.put is not None or any(_may_touch(other, step) for other in later):
            yield step


def _may_touch(later: Step, step: Step) -> bool:
    """Whether an image of a step may be one of a later step, which strips less."""
    if not step.strip.startswith(later.strip):
        return False
    between = step.strip.removeprefix(later.strip)
    if not later.strip and "." in between.partition("/")[0]:
        return False
    parts = between.count("/") + step.parts
    return 0 in {later.parts, step.parts} or min(later.parts, _MANY) == min(parts, _MANY)


def _quoted(text: str) -> str:
    """A literal text in a regular expression, without a backslash."""
    return re.sub(r"[.+]", lambda found: f"[{found[0]}]", text)
