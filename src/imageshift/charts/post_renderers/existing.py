"""The images entries that a release's post-renderers have already (K1 to K4, X3)."""

from collections.abc import Collection, Iterable, Iterator
from functools import reduce

from msgspec import Struct

from imageshift.charts.model import Field, RenderedImage, ValuePath, Values
from imageshift.entry import Entry, is_newly_matched, split_image

__all__ = ["NO_RENDERERS", "EntryEdit", "PostRenderers", "is_reached", "to_images_item"]


class EntryEdit(Struct, frozen=True):
    """A new `newName` for an entry; `path` leads to it below `spec.postRenderers`.

    `old` is None where the entry had none.
    """

    path: ValuePath
    new_name: str
    old: str | None


class PostRenderers(Struct, frozen=True):
    """The entries in their order, each with its path below `spec.postRenderers`."""

    entries: tuple[tuple[ValuePath, Entry], ...] = ()

    @classmethod
    def read(cls, post_renderers: Iterable[Values]) -> "PostRenderers":
        """The entries of the list in a release's spec; what has another shape is passed over."""
        found: list[tuple[ValuePath, Entry]] = []
        for number, item in enumerate(post_renderers):
            kustomize = item.get("kustomize")
            images = kustomize.get("images") if isinstance(kustomize, dict) else None
            for index, entry in enumerate(images if isinstance(images, list) else ()):
                if isinstance(entry, dict) and entry.get("name"):
                    path = (number, "kustomize", "images", index)
                    found.append((path, _entry(entry)))
        return cls(tuple(found))

    def since(self, number: int) -> "PostRenderers":
        """Those of a post-renderer and of all behind it."""
        return PostRenderers(tuple(item for item in self.entries if _number(item[0]) >= number))

    def entry_of(self, image: RenderedImage) -> tuple[ValuePath, Entry] | None:
        """The last entry that an image meets, with its path; None when none can be relied on."""
        return None if self._is_unclear(image) else self._last(image)

    def takes(self, image: RenderedImage) -> bool:
        """Whether an entry matches the image on its way, or may match it."""
        return self._last(image) is not None or self._is_unclear(image)

    def apply(self, image: RenderedImage) -> str:
        """The image's text behind all entries."""
        return self._applied(image.text) if is_reached(image) else image.text

    def edit_for(self, image: RenderedImage, target: str) -> EntryEdit | None:
        """The edit after which the image is its target; None when no entry can be relied on."""
        last = self.entry_of(image)
        if last is None:
            return None
        path, entry = last
        return EntryEdit((*path, "newName"), split_image(target)[0], entry.new_name or None)

    def unmatched(self, images: Collection[RenderedImage]) -> Iterator[tuple[ValuePath, Entry]]:
        """The entries that none of the images meets on its way."""
        if any(entry.problem for _, entry in self.entries):
            return
        met: set[ValuePath] = set()
        for image in images:
            text = image.text
            for path, entry in self.entries if _may_reach(image) else ():
                if entry.matches(text):
                    text = entry.apply(text)
                    met.add(path)
        yield from (item for item in self.entries if item[0] not in met)

    def passing(self) -> Iterator[ValuePath]:
        """Entries whose newName another entry behind them meets: it is no image that is run."""
        for number, (path, entry) in enumerate(self.entries):
            if entry.new_name and any(
                e.matches(entry.new_name) for _, e in self.entries[number + 1 :]
            ):
                yield path

    def _last(self, image: RenderedImage) -> tuple[ValuePath, Entry] | None:
        if not is_reached(image):
            return None
        text, last = image.text, None
        for path, entry in self.entries:
            if entry.matches(text):
                text, last = entry.apply(text), (path, entry)
        return last

    def changes_in_newer(self, image: RenderedImage, target: str | None) -> bool:
        """Whether newer versions of kustomize alone turn it into another image than its target."""
        newer = _may_reach(image) and not is_reached(image)
        return newer and self._applied(image.text) not in {image.text, target}

    def _applied(self, text: str) -> str:
        return reduce(lambda text, item: item[1].apply(text), self.entries, text)

    def _is_unclear(self, image: RenderedImage) -> bool:
        return is_reached(image) and any(entry.problem for _, entry in self.entries)


NO_RENDERERS = PostRenderers()


def _number(path: ValuePath) -> int:
    return path[0] if isinstance(path[0], int) else 0


def _may_reach(image: RenderedImage) -> bool:
    """Whether an entry reaches the image's place in newer versions of kustomize (K5)."""
    return image.field in {Field.CONTAINER, Field.VOLUME}


def is_reached(image: RenderedImage) -> bool:
    """Whether an entry reaches the image in every version of kustomize (K1, K5)."""
    in_cron_job = image.field is Field.VOLUME and image.object.kind == "CronJob"
    return _may_reach(image) and not in_cron_job and not is_newly_matched(image.text)


def to_images_item(entry: Entry) -> dict[str, str]:
    """An entry as an item of an `images:` list."""
    keys = {"newName": entry.new_name, "newTag": entry.new_tag, "digest": entry.digest}
    keys["tagSuffix"] = entry.tag_suffix
    return {"name": entry.name} | {key: value for key, value in keys.items() if value}


def _entry(fields: Values) -> Entry:
    return Entry(
        str(fields["name"]),
        str(fields.get("newName") or ""),
        str(fields.get("newTag") or ""),
        str(fields.get("digest") or ""),
        str(fields.get("tagSuffix") or ""),
    )
