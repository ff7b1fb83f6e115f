"""What a bot would undo, with the edits that prevent it."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from imageshift.cache import Mapped, RuleSet
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import read_documents
from imageshift.reference import ImageReference
from imageshift.repo.workspace import Workspace
from imageshift.sites import Resource
from imageshift.sites.model import resource_of
from imageshift.source import Document, Edit, Mapping, Place, Scalar, apply_edits

__all__ = ["BotFinding", "Object", "edited", "moved", "objects_of"]


class BotFinding(Struct, frozen=True):
    """A place where a bot would write an upstream's name, with the edits that fix it.

    `edits` is empty if only people can decide; `hint` says what to do.
    """

    file: str
    place: Place
    message: str
    hint: str
    edits: tuple[tuple[str, Edit], ...] = ()


class Object(Struct, frozen=True):
    """A Kubernetes object with the place where it is written."""

    file: str
    document: Document
    root: Mapping
    resource: Resource

    def place(self, scalar: Scalar) -> Place:
        """Where the value of one of its scalars stands."""
        return self.document.place(self.document.value_start(scalar))


def objects_of(workspace: Workspace, files: Iterable[str], word: str) -> Iterator[Object]:
    """The objects of the files in documents that hold a word; what can't be read is left out."""
    for file in files:
        for document in read_documents(workspace, file, lambda text: word in text):
            for root in objects(document.root):
                yield Object(file, document, root, resource_of(root))


def moved(rules: RuleSet, name: str) -> ImageReference | None:
    """Where an image's name goes; None where it stays."""
    try:
        outcome = rules.map(rules.parse(name))
    except InvalidReferenceError:
        return None
    return outcome.target if isinstance(outcome, Mapped) else None


def edited(workspace: Workspace, findings: Iterable[BotFinding]) -> dict[str, tuple[bytes, bytes]]:
    """The files that the findings' edits change, before and after.

    Raises:
        SourceError: a file can't be read, or two edits contradict each other.
    """
    edits: dict[str, list[Edit]] = {}
    for finding in findings:
        for file, edit in finding.edits:
            edits.setdefault(file, []).append(edit)
    made = {}
    for file, chosen in sorted(edits.items()):
        before = workspace.read(file)
        try:
            after = apply_edits(before.decode(), chosen).encode()
        except ValueError as error:
            raise SourceError(f"{file}: {error}", reason="conflict") from None
        made[file] = (before, after)
    return made
