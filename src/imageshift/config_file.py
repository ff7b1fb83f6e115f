"""Reads .imageshift.yaml; whatever is wrong with it is said with path, line and column."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from imageshift.cache import Registry, Rule, RuleSet
from imageshift.config import Config, KeepEntry, RegistryEntry, RuleEntry
from imageshift.ecr import may_be_ecr
from imageshift.errors import ConfigError, SourceError
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_below, read_file, resolve_below
from imageshift.source import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    SourceText,
    split_documents,
    walk,
)

__all__ = ["Foreign", "load_config"]

# Stands for the registry where only rules are looked at; no real host ends in .invalid (RFC 6761).
_ANY = "any.invalid"
_LARGEST = 1024 * 1024
_MOST_VALUES = 10_000


class Foreign(Struct, frozen=True):
    """Marks a configuration that was found in the tree and not named by the user.

    Anybody may have written it, so it may name nothing outside the tree's `root`, no registry
    but ECR's, and not AWS as the source of rules, unless the command line itself names the
    registry (`host`) or the source of rules (`rules`).
    """

    root: Path
    host: bool = False
    rules: bool = False


def load_config(path: Path | None, foreign: Foreign | None = None) -> Config:
    """The configuration of a file; the defaults when there is none.

    Raises:
        ConfigError: the file can't be read, has a key or value that isn't known or has one
            twice, holds a rule, alias or registry that can't be, or says what a `foreign` one
            may not; the message begins with path, line and column.
    """
    if path is None:
        return Config()
    source, documents = _parsed(path, foreign)
    if not documents or documents[0].root is None:
        return Config()
    file = _File(path, source, documents[0].root)
    if len(documents) > 1:
        raise file.error("a second document, which would not be read", documents[1].start)
    if isinstance(file.root, Scalar) and file.root.is_empty:
        return Config()
    config = file.config()
    if foreign is not None:
        file.check_foreign(config, foreign)
    file.check_files(config)
    return config


def _parsed(path: Path, foreign: Foreign | None) -> tuple[SourceText, list[Document]]:
    try:
        if foreign is None:
            content = read_file(path, largest=_LARGEST)
        else:
            content = read_below(foreign.root, str(path), largest=_LARGEST)
    except SourceError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        source = SourceText.decode(content)
        return source, [doc for chunk in split_documents(source) for doc in chunk.documents()]
    except SourceError as error:
        place = f"{path}:{error.line or 1}:{error.column or 1}"
        raise ConfigError(f"{place}: {error}", hint=error.hint) from None


class _File(Struct, frozen=True):
    """A configuration's tree with the text that it stands in."""

    path: Path
    source: SourceText
    root: Node

    def config(self) -> Config:
        """The content, checked."""
        for number, node in enumerate(walk(self.root)):
            if number >= _MOST_VALUES:
                raise self.error(f"more than {_MOST_VALUES:,} values", node.start)
            if isinstance(node, Mapping):
                self._refuse_twins(node)
                self._refuse_number(node)
        try:
            config = msgspec.convert(_data(self.root), Config)
        except msgspec.ValidationError as error:
            raise self._invalid(error) from None
        self._check(config)
        return config

    def check_foreign(self, config: Config, foreign: Foreign) -> None:
        """Refuses what only the user may say.

        Raises:
            ConfigError: with the place of the value.
        """
        with self._place_of("registry_host"):
            _check_host(config.registry_host, foreign)
        for index, entry in enumerate(config.registries):
            with self._place_of(f"registries[{index}].registry_host"):
                _check_host(entry.registry_host, foreign)
        with self._place_of("rules_from"):
            self._check_rules_from(config.rules_from, foreign)
        for index, path in enumerate(config.crds):
            with self._place_of(f"crds[{index}]"):
                self._check_path(path, foreign)
        for key, path in config.charts.sources.items():
            with self._place_of("charts.sources", key):
                self._check_path(path, foreign)

    def _check_rules_from(self, source: str | None, foreign: Foreign) -> None:
        if source is None or foreign.rules:
            return
        if source == "aws":
            raise ConfigError(
                "only the command line may ask AWS", hint="--rules-from aws, or a file"
            )
        self._check_path(source, foreign)

    def _check_path(self, path: str, foreign: Foreign) -> None:
        try:
            resolve_below(foreign.root, str(self.path.parent / path))
        except SourceError:
            raise ConfigError(f"{path} leads out of {foreign.root}", hint=_TRUST) from None

    def check_files(self, config: Config) -> None:
        """Refuses names of files that don't exist.

        Raises:
            ConfigError: with the place of the value.
        """
        for index, path in enumerate(config.crds):
            with self._place_of(f"crds[{index}]"):
                if not (self.path.parent / path).exists():
                    raise ConfigError(f"{path} doesn't exist")

    def error(self, message: str, offset: int, hint: str | None = None) -> ConfigError:
        """An error at a place of the file."""
        place = self.source.place(offset)
        return ConfigError(f"{self.path}:{place.line}:{place.column}: {message}", hint=hint)

    def _invalid(self, error: msgspec.ValidationError) -> ConfigError:
        message, _, where = str(error).partition(" - at ")
        found = re.search(r"`\$\.?(.*)`", where)
        key_path = found[1] if found else ""
        node = _at(self.root, key_path, message)
        from imageshift.config_words import hint_at  # noqa: PLC0415 for mistakes only

        unknown = _UNKNOWN.search(message)
        wrong = unknown[1] if unknown else node.value if isinstance(node, Scalar) else ""
        shown = f" at {key_path}" if key_path else ""
        hint = hint_at(key_path, wrong) or _REFERENCE
        return self.error(f"{message}{shown}", node.start, hint)

    def _refuse_twins(self, mapping: Mapping) -> None:
        seen: set[str] = set()
        for key in (key for key, _ in mapping.own if isinstance(key, Scalar)):
            if key.value in seen:
                hint = "YAML parsers use one of them, or reject the file"
                raise self.error(f"the key {key.value} appears twice", key.start, hint)
            seen.add(key.value)

    def _refuse_number(self, mapping: Mapping) -> None:
        """An account written as a number has lost what made it an account id."""
        value = mapping.scalar("account")
        if value is None or value.is_empty or value.is_string:
            return
        lost = " and may drop the leading zero, or read it as octal"
        raise self.error(
            f"account {value.value} is a number in YAML: parsers may turn it into a different text"
            + lost * value.value.startswith("0"),
            value.start,
            f'write it in quotes: account: "{value.value}"',
        )

    def _check(self, config: Config) -> None:
        """Looks at what only the rules of ECR can tell, each where it is written."""
        self._check_registry("", config)
        self._check_rules("rules", config.rules)
        for index, entry in enumerate(config.registries):
            self._check_registry(f"registries[{index}].", entry)
            self._check_rules(f"registries[{index}].rules", entry.rules)
        for index, keep in enumerate(config.keep):
            with self._place_of(f"keep[{index}]"):
                _check_keep(keep)
        for host, upstream in () if config.aliases == "known" else config.aliases.items():
            with self._place_of("aliases", host):
                RuleSet(Registry(_ANY), (), {host: upstream})

    def _check_registry(self, above: str, entry: Config | RegistryEntry) -> None:
        with self._place_of(f"{above}account"):
            Registry.of(entry.account, None, _ANY)
        with self._place_of(f"{above}region"):
            Registry.of(None, entry.region, _ANY)
        with self._place_of(f"{above}registry_host"):
            Registry.of(None, None, entry.registry_host or _ANY)

    def _check_rules(self, above: str, rules: str | list[RuleEntry] | None) -> None:
        made: list[Rule] = []
        for index, entry in enumerate(() if isinstance(rules, str) else rules or ()):
            at = f"{above}[{index}]"
            with self._place_of(f"{at}.upstream"):
                Rule(entry.upstream, "any")
            with self._place_of(f"{at}.prefix"):
                Rule(entry.upstream, entry.prefix)
            with self._place_of(f"{at}.upstream_prefix"):
                made.append(Rule(entry.upstream, entry.prefix, entry.upstream_prefix))
            with self._place_of(at):
                RuleSet(Registry(_ANY), tuple(made))

    @contextmanager
    def _place_of(self, key_path: str, *keys: str) -> Iterator[None]:
        """Gives errors the place of the value at a key's path."""
        try:
            yield
        except ConfigError as error:
            node = _at(self.root, key_path)
            for key in keys:
                node = (node.key(key) if isinstance(node, Mapping) else None) or node
            shown = ".".join((key_path, *keys))
            raise self.error(f"{error} at {shown}", node.start, error.hint) from None


_UNKNOWN = lazy_re(r"unknown field `(.*?)`")
_REFERENCE = "the keys are in the configuration reference of the documentation"
_TRUST = "a file that you pass with --config may do this"


def _check_host(host: str | None, foreign: Foreign) -> None:
    if host is None or foreign.host or may_be_ecr(Registry.of(None, None, host).host):
        return
    raise ConfigError(
        f"{host} isn't an ECR registry, and only the command line may name another",
        hint=f"--registry-host {host}; {_TRUST}",
    )


def _check_keep(keep: KeepEntry) -> None:
    if keep.file is None and keep.image is None:
        raise ConfigError("an entry needs `file` or `image`")
    if not keep.reason.strip():
        raise ConfigError("the reason must say why it is kept")


def _data(node: Node) -> Any:
    if isinstance(node, Mapping):
        return {key.value: _data(value) for key, value in node.pairs()}
    if isinstance(node, Sequence):
        return [_data(item) for item in node.items]
    return _plain(node) if isinstance(node, Scalar) else None


def _plain(scalar: Scalar) -> Any:
    if not scalar.style and scalar.is_empty:
        return None
    if not scalar.style and scalar.value.lower() in {"true", "false"}:
        return scalar.value.lower() == "true"
    return scalar.value


def _at(root: Node, key_path: str, message: str = "") -> Node:
    """The node that an error refers to: the value at its path, or the key it doesn't know."""
    node: Node = root
    for step in re.findall(r"[^.\[\]]+", key_path):
        if isinstance(node, Mapping):
            node = node.get(step) or node
        elif isinstance(node, Sequence) and step.isdigit():
            node = node.items[int(step)]
    unknown = _UNKNOWN.search(message)
    if unknown is not None and isinstance(node, Mapping):
        return node.key(unknown[1]) or node
    return node
