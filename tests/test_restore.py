"""`imageshift.restore`: four versions of a text, and what comes back."""

import pytest

from imageshift.restore import Versions, restore

# was, moved by the migration, now, reverted by the rules, what must come out.
CASES: dict[str, tuple[str, str, str, str, str]] = {
    "nothing else": (
        "i: docker.io/library/nginx:1\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: nginx:1\n",
        "i: docker.io/library/nginx:1\n",
    ),
    "new tag": (
        "i: docker.io/library/nginx:1 # a\n",
        "i: ECR/hub/library/nginx:1 # a\n",
        "i: ECR/hub/library/nginx:22 # a\n",
        "i: nginx:22 # a\n",
        "i: docker.io/library/nginx:22 # a\n",
    ),
    "new comment": (
        "i: docker.io/library/nginx:1\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: ECR/hub/library/nginx:1 # b\n",
        "i: nginx:1 # b\n",
        "i: docker.io/library/nginx:1 # b\n",
    ),
    "new key before": (
        "- i: a/b:1\n",
        "- i: ECR/hub/a/b:1\n",
        "- image: ECR/hub/a/b:1\n",
        "- image: a/b:1\n",
        "- image: a/b:1\n",
    ),
    "another image": (
        "i: nginx:1\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: ECR/hub/org/other:1\n",
        "i: org/other:1\n",
        "i: org/other:1\n",
    ),
    "brought back by hand": (
        "i: docker.io/nginx:1\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: quay.io/org/nginx:1\n",
        "i: quay.io/org/nginx:1\n",
        "i: quay.io/org/nginx:1\n",
    ),
    "new line behind": (
        "a: 1\ni: nginx:1\n",
        "a: 1\ni: ECR/hub/library/nginx:1\n",
        "a: 1\ni: ECR/hub/library/nginx:1\nb: 2\n",
        "a: 1\ni: nginx:1\nb: 2\n",
        "a: 1\ni: nginx:1\nb: 2\n",
    ),
    "new line behind the last without an end": (
        "a: 1\ni: nginx:1",
        "a: 1\ni: ECR/hub/library/nginx:1",
        "a: 1\ni: ECR/hub/library/nginx:1\nb: 2\n",
        "a: 1\ni: nginx:1\nb: 2\n",
        "a: 1\ni: nginx:1\nb: 2\n",
    ),
    "lines gone": (
        "a: 1\ni: nginx:1\nb: 2\n",
        "a: 1\ni: ECR/hub/library/nginx:1\nb: 2\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: nginx:1\n",
        "i: nginx:1\n",
    ),
    "a new image of their own stays": (
        "- i: nginx:1\n",
        "- i: ECR/hub/library/nginx:1\n",
        "- i: ECR/hub/library/nginx:1\n- i: ECR/hub/org/b:1\n  c: 2\n",
        "- i: nginx:1\n- i: org/b:1\n  c: 2\n",
        "- i: nginx:1\n- i: ECR/hub/org/b:1\n  c: 2\n",
    ),
    "cached before": (
        "i: ECR/hub/library/nginx:1\n",
        "i: ECR/hub/library/nginx:1\n",
        "i: ECR/hub/library/nginx:2\n",
        "i: nginx:2\n",
        "i: ECR/hub/library/nginx:2\n",
    ),
    "a line that the migration added": (
        "url: oci://quay.io/a\nz: 1\n",
        "url: oci://ECR/quay/a\nprovider: aws\nz: 1\n",
        "url: oci://ECR/quay/a\nprovider: aws\nz: 2\n",
        "url: oci://quay.io/a\nprovider: generic\nz: 2\n",
        "url: oci://quay.io/a\nz: 2\n",
    ),
    "an entry's name, which another file decided": (
        "images:\n- name: nginx # a\n  newTag: v2\n",
        "images:\n- name: nginx # a\n  newTag: v2\n",
        "images:\n- name: ECR/hub/library/nginx # a\n  newTag: v2\n",
        "images:\n- name: nginx # a\n  newTag: v2\n",
        "images:\n- name: nginx # a\n  newTag: v2\n",
    ),
    "entries that were added": (
        "resources: [a]",
        "resources: [a]",
        "resources: [a]\nimages:\n- name: ghcr.io/a\n  newName: ECR/github/a",
        "resources: [a]\nimages:\n- name: ghcr.io/a\n  newName: ghcr.io/a",
        "resources: [a]",
    ),
    "values that were added": (
        "values:\n  a: 1\nz: 1\n",
        "values:\n  a: 1\nz: 1\n",
        "values:\n  a: 1\n  image:\n    repository: ECR/quay/a\nz: 2\n",
        "values:\n  a: 1\n  image:\n    repository: quay.io/a\nz: 2\n",
        "values:\n  a: 1\nz: 2\n",
    ),
    "a line that was added and changed since": (
        "- name: a\n  newTag: v1\n",
        "- name: ECR/a\n  newTag: v1\n- name: a\n  newName: ECR/a\n  newTag: v1\n",
        "- name: ECR/a\n  newTag: v2\n- name: a\n  newName: ECR/a\n  newTag: v2\n",
        "- name: a\n  newTag: v2\n- name: a\n  newName: ECR/a\n  newTag: v2\n",
        "- name: a\n  newTag: v2\n",
    ),
    "keys without a name of the cache stay": (
        "a: 1\n",
        "a: 1\n",
        "a: 1\nimage:\n  tag: v1\n",
        "a: 1\nimage:\n  tag: v1\n",
        "a: 1\nimage:\n  tag: v1\n",
    ),
    "line ends of Windows": (
        "a: 1\r\ni: nginx:1\r\n",
        "a: 1\r\ni: ECR/hub/library/nginx:1\r\n",
        "a: 2\r\ni: ECR/hub/library/nginx:1\r\n",
        "a: 2\r\ni: nginx:1\r\n",
        "a: 2\r\ni: nginx:1\r\n",
    ),
}


@pytest.mark.parametrize(("was", "moved", "now", "reverted", "expected"), CASES.values(), ids=CASES)
def test_restored(was: str, moved: str, now: str, reverted: str, expected: str) -> None:
    """What the migration did is gone, what others did is there."""
    texts = Versions(was=was, moved=moved, now=now, reverted=reverted, host="ECR")

    assert restore(texts) == expected


COMPLETE: dict[str, tuple[str, str, str, str, str]] = {
    "a new image": (
        "- i: a:1\n",
        "- i: ECR/a:1\n",
        "- i: ECR/a:1\n- i: ECR/b:1\n",
        "- i: a:1\n- i: b:1\n",
        "- i: a:1\n- i: ECR/b:1\n",
    ),
    "a new image before a changed one": (
        "- i: a:1\n",
        "- i: ECR/a:1\n",
        "- i: ECR/b:7\n- i: ECR/a:2\n  c: 2\n",
        "- i: b:7\n- i: a:2\n  c: 2\n",
        "- i: ECR/b:7\n- i: a:2\n  c: 2\n",
    ),
}


@pytest.mark.parametrize(
    ("was", "moved", "now", "reverted", "expected"), COMPLETE.values(), ids=COMPLETE
)
def test_nothing_is_guessed_where_all_is_known(
    was: str, moved: str, now: str, reverted: str, expected: str
) -> None:
    """A new line that looks like one of the migration's stays, if the migration's are all told."""
    texts = Versions(was=was, moved=moved, now=now, reverted=reverted, host="ECR", complete=True)

    assert restore(texts) == expected


def test_without_other_changes_every_character_is_back() -> None:
    """Whatever the texts are, moved and now alike mean the text of before."""
    texts = Versions(
        was="a", moved="completely\nother", now="completely\nother", reverted="x", host="E"
    )

    assert restore(texts) == "a"
