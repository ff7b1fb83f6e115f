"""Argo CD Image Updater: images that it would write with their upstream's name.

It reads annotations of Applications, and since version 1 ImageUpdater objects.
"""

from collections.abc import Callable, Iterable, Iterator

from imageshift.bots.found import BotFinding, Object, moved, objects_of
from imageshift.cache import Registry, RuleSet
from imageshift.repo.workspace import Workspace
from imageshift.source import Edit, Mapping, Scalar

__all__ = ["PREFIX", "find_updater", "registries_conf"]

PREFIX = "argocd-image-updater.argoproj.io"
_LIST = f"{PREFIX}/image-list"
_HINT = (
    "name the cache instead; ECR lists only tags that have been pulled, so a new tag shows up "
    "only after somebody pulls it"
)
_CONF = """\
registries:
  - name: ECR
    prefix: {host}
    api_url: https://{host}
    # A script that prints AWS:TOKEN, such as: echo "AWS:$(aws ecr get-login-password)"
    credentials: ext:/scripts/ecr-login.sh
    credsexpire: 10h
"""


def find_updater(
    workspace: Workspace, files: Iterable[str], rules_of: Callable[[str], RuleSet]
) -> list[BotFinding]:
    """The images that Image Updater would move back to their upstream."""
    found = []
    for one in objects_of(workspace, files, PREFIX):
        rules = rules_of(one.file)
        found += [finding for scalar in _lists(one) for finding in _in_list(one, scalar, rules)]
        found += [finding for scalar in _names(one) for finding in _in_list(one, scalar, rules)]
    return sorted(found, key=lambda one: (one.file, one.place))


def registries_conf(registry: Registry) -> str:
    """What Image Updater's `registries.conf` needs to know about the registry."""
    return _CONF.format(host=registry.host)


def _lists(one: Object) -> Iterator[Scalar]:
    """The annotations with images, of an Application or in an ApplicationSet's template."""
    roots: list[Mapping | None] = [one.root]
    if one.resource.kind == "ApplicationSet":
        spec = one.root.mapping("spec")
        roots = [None if spec is None else spec.mapping("template")]
    for root in roots:
        metadata = None if root is None else root.mapping("metadata")
        annotations = None if metadata is None else metadata.mapping("annotations")
        scalar = None if annotations is None else annotations.scalar(_LIST)
        if scalar is not None:
            yield scalar


def _names(one: Object) -> Iterator[Scalar]:
    """The images of an ImageUpdater object."""
    if one.resource.kind != "ImageUpdater":
        return
    spec = one.root.mapping("spec") or Mapping(0, None, flow=False)
    for reference in spec.items("applicationRefs"):
        for image in reference.items("images") if isinstance(reference, Mapping) else ():
            scalar = image.scalar("imageName") if isinstance(image, Mapping) else None
            if scalar is not None:
                yield scalar


def _in_list(one: Object, scalar: Scalar, rules: RuleSet) -> Iterator[BotFinding]:
    """A finding for a list of `alias=image:constraint` that names an upstream."""
    items = scalar.value.split(",")
    changed = [_moved_item(item, rules) for item in items]
    names = [item.strip() for item, new in zip(items, changed, strict=True) if new != item]
    if not names:
        return
    edit: Edit = one.document.replace(scalar, scalar.value, ",".join(changed))
    yield BotFinding(
        one.file,
        one.place(scalar),
        f"Image Updater writes {', '.join(names)} back",
        f"{_HINT}: {','.join(changed).strip()}",
        ((one.file, edit),),
    )


def _moved_item(item: str, rules: RuleSet) -> str:
    """One image of a list, from the cache; its alias, constraint and blanks stay."""
    image = item.strip()
    alias, equals, rest = (
        image.rpartition("=") if "=" in image.partition(":")[0] else ("", "", image)
    )
    at = rest.find(":", rest.rfind("/") + 1)
    name, constraint = (rest, "") if at < 0 else (rest[:at], rest[at:])
    target = moved(rules, name) if name else None
    if target is None:
        return item
    return item.replace(image, f"{alias}{equals}{target.full_name}{constraint}", 1)
