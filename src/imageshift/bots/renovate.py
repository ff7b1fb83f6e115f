"""Renovate: its configuration, and the aliases with which it finds updates behind the cache.

Renovate takes the first alias whose name and a slash begin an image (its getDep), so longer ones
come first, and before those that are there already.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from imageshift.bots.json5 import Node, parse, without_comments
from imageshift.cache import Registry, Rule
from imageshift.ecr import ROOT
from imageshift.errors import SourceError
from imageshift.repo.read import read_below

__all__ = ["CONFIG_NAMES", "IGNORING", "RenovateConfig", "aliases_of", "find_config"]

CONFIG_NAMES = (
    *(
        f"{folder}renovate.{suffix}"
        for folder in ("", ".github/", ".gitlab/")
        for suffix in ("json", "jsonc", "json5")
    ),
    ".renovaterc",
    *(f".renovaterc.{suffix}" for suffix in ("json", "jsonc", "json5")),
    "package.json",
)
"""Where Renovate looks for its configuration; in package.json it is the key `renovate`."""

IGNORING: Mapping[str, str] = {
    "argocd": "Argo CD Applications",
    "flux": "OCIRepositories and charts of HelmReleases",
    "tekton": "Tekton tasks and bundles",
}
"""Managers that don't know aliases, and what they read (their extract.ts passes none to getDep)."""

_KEY = "registryAliases"
_LARGEST = 4 * 1024 * 1024


def aliases_of(targets: Iterable[tuple[Registry, Iterable[Rule]]]) -> dict[str, str]:
    """The aliases of the rules: the paths of the cache with the upstreams that they stand for."""
    found = {
        registry.host + ("" if rule.prefix == ROOT else f"/{rule.prefix}"): rule.full_upstream
        for registry, rules in targets
        for rule in rules
    }
    return dict(sorted(found.items(), key=lambda item: (-item[0].count("/"), -len(item[0]), item)))


def find_config(root: Path) -> "RenovateConfig | None":
    """Renovate's configuration in a repository; None where there is none.

    Raises:
        SourceError: it can't be read; the message names the file.
    """
    for name in CONFIG_NAMES:
        if (root / name).is_file():
            config = RenovateConfig.read(root, name)
            if config is not None:
                return config
    return None


class RenovateConfig(Struct, frozen=True):
    """A configuration file of Renovate's, and the object in it that is the configuration."""

    name: str
    content: bytes
    text: str
    node: Node

    @classmethod
    def read(cls, root: Path, name: str) -> "RenovateConfig | None":
        """A file's configuration; None for a package.json that has none.

        Raises:
            SourceError: it can't be read; the message names the file.
        """
        try:
            content = read_below(root, name, largest=_LARGEST)
            text = content.decode()
            node = parse(text)
        except UnicodeDecodeError:
            raise SourceError(f"{name}: not UTF-8") from None
        except SourceError as error:
            place = f":{error.line}:{error.column}" if error.line else ""
            raise SourceError(f"{name}{place}: {error}") from None
        inner = node.get("renovate") if name == "package.json" else node
        if inner is None and name == "package.json":
            return None
        if inner is None or inner.members is None:
            raise SourceError(f"{name}: the configuration isn't an object")
        return cls(name, content, text, inner)

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases that it has, as far as they are texts."""
        node = self.node.get(_KEY)
        members = () if node is None else node.members or ()
        return {m.key: m.node.value for m in members if isinstance(m.node.value, str)}

    def missing(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """The aliases that it lacks."""
        return {name: value for name, value in wanted.items() if name not in self.aliases}

    def differing(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """The aliases that it has with another upstream, which may be intentional."""
        own = self.aliases
        return {name: own[name] for name in wanted if own.get(name, wanted[name]) != wanted[name]}

    def ignoring(self) -> list[str]:
        """The managers that don't know aliases and are on, by default or by the configuration."""
        node = self.node.get("enabledManagers")
        enabled = None if node is None else node.value
        chosen = [name for name in IGNORING if not isinstance(enabled, list) or name in enabled]
        custom = ("customManagers", "regexManagers")
        return [*chosen, *("custom" for key in custom if self.node.get(key) is not None)]

    def with_aliases(self, wanted: Mapping[str, str]) -> str:
        """The text with the missing aliases added; everything else stays as it is.

        Raises:
            SourceError: its own aliases aren't an object, or the result would not read as meant.
        """
        new = self.missing(wanted)
        if not new:
            return self.text
        node = self.node.get(_KEY)
        if node is not None and node.members is None:
            raise SourceError(f"{self.name}: {_KEY} isn't an object")
        made = self._with_member(new) if node is None else self._with_items(node, new)
        self._check(made, new)
        return made

    def _check(self, made: str, new: Mapping[str, str]) -> None:
        again = parse(made)
        inner = again.get("renovate") if self.name == "package.json" else again
        assert isinstance(self.node.value, dict)  # noqa: S101 read as an object
        expected = {**self.node.value, _KEY: {**new, **self.aliases}}
        if inner is None or inner.value != expected:
            raise SourceError(f"{self.name}: the edited text would not parse as planned")

    def _with_items(self, node: Node, new: Mapping[str, str]) -> str:
        """New aliases before those that are there."""
        pairs = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in new.items()]
        if node.members:
            start = node.members[0].start
            line = self.text.rfind("\n", 0, start) + 1
            lead = self.text[line:start]
            between = f",{self._newline}{lead}" if not lead.strip() else ", "
            return self.text[:start] + between.join([*pairs, ""]) + self.text[start:]
        outer = self._indent_of(node.start)
        inner = f",{self._newline}".join(f"{outer}{self._unit}{pair}" for pair in pairs)
        body = f"{{{self._newline}{inner}{self._newline}{outer}}}"
        return self.text[: node.start] + body + self.text[node.end :]

    def _with_member(self, new: Mapping[str, str]) -> str:
        """The key with its aliases, as the last member; comments behind the one before stay."""
        outer = self._indent_of(self.node.start)
        inner = outer + self._unit
        value = json.dumps(dict(new), indent=self._unit)
        member = f"{json.dumps(_KEY)}: {value}".replace("\n", f"{self._newline}{inner}")
        brace = self.node.end - 1
        line = self.text.rfind("\n", 0, brace) + 1
        own_line = not self.text[line:brace].strip() and line > self.node.start
        at = line if own_line else brace
        tail = f"{inner}{member}" if own_line else f"{self._newline}{inner}{member}"
        end = self._newline if own_line else f"{self._newline}{outer}"
        members = self.node.members or ()
        last = members[-1].node.end if members else at
        comma = "," if members and not self._has_comma(last) else ""
        more = "," if members and not comma else ""
        return self.text[:last] + comma + self.text[last:at] + tail + more + end + self.text[at:]

    def _has_comma(self, at: int) -> bool:
        """Whether a comma follows the last member, which JSON5 allows."""
        return "," in without_comments(self.text[at : self.node.end])

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _indent_of(self, at: int) -> str:
        """The blanks that begin the line of a place."""
        line = self.text[self.text.rfind("\n", 0, at) + 1 :]
        return line[: len(line) - len(line.lstrip(" \t"))]

    @property
    def _unit(self) -> str:
        """By how much the configuration indents its members."""
        outer = self._indent_of(self.node.start)
        for member in self.node.members or ():
            line = self.text.rfind("\n", 0, member.start) + 1
            lead = self.text[line : member.start]
            if not lead.strip() and lead.startswith(outer) and lead != outer:
                return lead[len(outer) :]
        return "  "
