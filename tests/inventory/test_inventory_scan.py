"""One file: what in it is an image, what is left alone as a whole, and why."""

import pytest

from imageshift.errors import SourceError
from imageshift.inventory import FileScan, scan_file
from imageshift.sites import FileRole, FinderContext

POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n      image: nginx:1\n"


def scanned(text: str | bytes, role: FileRole = FileRole.OBJECTS) -> FileScan:
    """Return what a file holds."""
    content = text.encode() if isinstance(text, str) else text
    return scan_file("a.yaml", content, FinderContext(role=role))


def skips(scan: FileScan) -> list[tuple[str, int | None]]:
    """Return reason and line of what wasn't looked into."""
    return [(skip.reason.value, skip.line) for skip in scan.skips]


def outcomes(scan: FileScan) -> list[str]:
    """Return the finder's own word on each site."""
    return [site.skip.value if site.skip else site.confidence.value for site in scan.sites]


SEALED = POD + "sops:\n  mac: x\n"
WHOLE = {
    "sops": (SEALED, "sops"),
    "sops first": ("sops:\n    mac: x\n" + POD, "sops"),
    "sops in lines that end with CR LF": (SEALED.replace("\n", "\r\n"), "sops"),
    "sops in lines that end with CR": (SEALED.replace("\n", "\r"), "sops"),
    "sops in quotes": (POD + '"sops":\n  mac: x\n', "sops"),
    "sops in flow style": (POD + "sops: {mac: x}\n", "sops"),
    "sops with a comment": (POD + "sops: # theirs\n  mac: x\n", "sops"),
    "sops in JSON on one line": ('{"kind":"Pod","image":"nginx","sops":{"mac":"x"}}', "sops"),
    "sops in JSON": ('{"kind": "Pod", "image": "nginx",\n  "sops": {"mac": "x"}}\n', "sops"),
    "ignore-file": ("# imageshift: ignore-file\n" + POD, "ignored"),
    "ignore-file with a reason": (
        POD + "# imageshift: ignore-file since it is a test\n",
        "ignored",
    ),
}


@pytest.mark.parametrize(("text", "reason"), WHOLE.values(), ids=WHOLE)
def test_whole_files_that_are_left(text: str, reason: str) -> None:
    """No site of them is looked at."""
    scan = scanned(text)

    assert (skips(scan), scan.sites) == ([(reason, None)], ())


@pytest.mark.parametrize(
    "text",
    [
        POD + "# sops:\n",
        POD + "sops: yes\n",
        POD.replace("spec:", "metadata: {annotations: {sops: x}}\nspec:"),
        POD.replace("spec:", "metadata:\n  sops:\n    mac: x\nspec:"),
        POD + "# imageshift: ignore-files\n",
        POD.replace("name: a", "name: 'imageshift: ignore-file'"),
    ],
)
def test_files_that_only_mention_it(text: str) -> None:
    """A word elsewhere is no reason."""
    assert (skips(scanned(text)), outcomes(scanned(text))) == ([], ["exact"])


COMMENTS = {
    "same line": ("      image: nginx # imageshift: ignore\n", "ignored"),
    "with a reason": ("      image: nginx # imageshift: ignore, a test\n", "ignored"),
    "with a reason in words": ("      image: nginx # imageshift: ignore it is a test\n", "ignored"),
    "behind other words": ("      image: nginx # pinned; imageshift: ignore\n", "ignored"),
    "line above": ("      # imageshift: ignore\n      image: nginx\n", "ignored"),
    "line above, not indented": ("# imageshift: ignore\n      image: nginx\n", "ignored"),
    "two lines above": ("      # imageshift: ignore\n      # x\n      image: nginx\n", "exact"),
    "line below": ("      image: nginx\n      # imageshift: ignore\n", "exact"),
    "behind another value above": (
        "      x: y # imageshift: ignore\n      image: nginx\n",
        "exact",
    ),
    "another word": ("      image: nginx # imageshift: ignored\n", "exact"),
    "another case": ("      image: nginx # ImageShift: ignore\n", "exact"),
    "windows": ("      image: nginx # imageshift: ignore\r\n", "ignored"),
}


@pytest.mark.parametrize(("lines", "outcome"), COMMENTS.values(), ids=COMMENTS)
def test_comments(lines: str, outcome: str) -> None:
    """On any line of the site, or alone on the line above."""
    head = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n"

    assert outcomes(scanned(head + lines)) == [outcome]


def test_broken_documents_leave_the_others() -> None:
    """Each is told with its own place in the file."""
    text = f"{POD}---\nkind: Pod\nimage: [\n---\n{POD}---\nimage: {{\nkind: Pod\n"

    scan = scanned(text)

    assert outcomes(scan) == ["exact", "exact"]
    assert [reason for reason, _ in skips(scan)] == ["unparsable", "unparsable"]
    assert [line for _, line in skips(scan)] == sorted(line or 0 for _, line in skips(scan))


def test_broken_documents_without_an_image_are_no_matter() -> None:
    """What can't hold an image isn't parsed at all."""
    assert skips(scanned(f"a: [\n---\n{POD}")) == []


def test_texts_that_are_nested_too_deeply_leave_the_others() -> None:
    """A document beyond any sense is told, and is no bug."""
    head = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n"
    deep = "".join(f"{' ' * (4 + level)}a:\n" for level in range(900))
    image = f"{' ' * 904}image: docker.io/nginx:1\n"

    scan = scanned(f"{POD}---\n{head}{deep}{image}---\n{POD}")

    assert outcomes(scan) == ["exact", "exact"]
    assert skips(scan) == [("unparsable", 160)]


TEMPLATES = {
    "plain name": (POD.replace("name: a", "name: {{ .Values.name }}"), ["template"]),
    "line": ("{{- if .Values.x }}\n" + POD + "{{- end }}\n", ["template"]),
    "quoted": (POD.replace("name: a", "name: '{{ .Values.name }}'"), []),
    "comment": (POD + "# {{ .Values.x }}\n", []),
    "block": (POD + "  text: |\n    {{ .Values.x }}\n", []),
}


@pytest.mark.parametrize(("text", "reasons"), TEMPLATES.values(), ids=TEMPLATES)
def test_templates(text: str, reasons: list[str]) -> None:
    """A document with braces outside quotes is known only when it is rendered."""
    scan = scanned(text)

    assert [reason for reason, _ in skips(scan)] in (reasons, ["unparsable"] * len(reasons))
    assert len(scan.sites) == (0 if reasons else 1)


def test_generated_by_flux() -> None:
    """The header of gotk-components.yaml alone; the sites are told."""
    header = "# This manifest was generated by flux. DO NOT EDIT.\n"

    assert outcomes(scanned(header + POD)) == ["generated"]
    assert outcomes(scanned("# generated by flux, do not edit\n" + POD)) == ["exact"]


def test_no_utf8_is_the_callers_to_tell() -> None:
    """With the line of the first byte that isn't."""
    with pytest.raises(SourceError) as error:
        scanned(POD.encode() + b"# \xff\n")

    assert (error.value.reason, error.value.line) == ("not-utf8", 7)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_wide_characters_are_told(encoding: str, mark: str) -> None:
    """Readers of Kubernetes know them, so their images would be missed; others are no matter."""
    with pytest.raises(SourceError, match="the file is UTF-16 or UTF-32, not UTF-8") as error:
        scanned((mark + POD).encode(encoding))

    assert (error.value.reason, error.value.line) == ("not-utf8", 1)
    assert skips(scanned((mark + POD.replace("image", "picture")).encode(encoding))) == []


def test_files_without_a_word_of_images_are_not_decoded() -> None:
    """So bytes that are no text don't matter in them."""
    scan = scanned(b"a: \xff\n")

    assert (scan.sites, scan.skips, scan.source.text) == ((), (), "")


def test_policies_are_kept_apart() -> None:
    """Each document of a policy kind, and the others as ever."""
    policy = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {image: ghcr.io/a}\n"

    scan = scanned(f"{policy}---\n{POD}---\n{policy}")

    assert [chunk.index for chunk in scan.policies] == [0, 2]
    assert outcomes(scan) == ["exact"]
