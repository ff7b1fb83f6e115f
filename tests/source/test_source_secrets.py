"""Diffs for people hide the values of Secrets, in whatever shape a file has them."""

import pytest

from imageshift.diff import unified_diff
from imageshift.source.secrets import HIDDEN, hide_secrets

CANARY = "planted"
FILES = {
    "block": "kind: Secret\nmetadata: {name: a}\nstringData:\n  k: planted # planted\n  # planted\n  v: |\n    planted\n\n    x: planted\ntype: Opaque\n",  # noqa: E501
    "flow": "{kind: Secret, data: {k: planted, 'b': \"planted\"}}\n",
    "JSON": '{"kind": "Secret", "data": {"k": "planted"}}\n',
    "list": "kind: List\nitems:\n- kind: Secret\n  data:\n    k: planted\n",
    "secret list": "kind: SecretList\nitems:\n- {kind: Secret, data: {k: planted}}\n",
    "alias": "x: &a planted\nkind: Secret\ndata: {k: *a}\n",
    "another key": "kind: Secret\nmetadata: {}\nbinaryData: [planted]\nmore: planted\n",
    "last applied": (
        "kind: Secret\nmetadata:\n  annotations:\n"
        '    kubectl.kubernetes.io/last-applied-configuration: |\n      {"data": "planted"}\n'
    ),
    "in a text": "kind: ConfigMap\ndata:\n  x.yaml: |\n    kind: Secret\n    data: {k: planted}\n",
    "in a JSON text": "kind: ConfigMap\ndata:\n  x: '{\"kind\":\"Secret\",\"k\":\"planted\"}'\n",
    "a template": "kind: Secret\n{{ if x }}\ndata: {k: planted}\n{{ end }}\n",
    "windows": "kind: Secret\r\ndata:\r\n  k: planted\r\n",
    "mark": "\ufeffkind: Secret\ndata:\n  k: planted\n",
    "second": "kind: A\nimage: x\n---\nkind: Secret\ndata:\n  k: planted\n",
    "a generator": "images: []\nsecretGenerator:\n- name: g\n  literals: [k=planted]\n",
    "a plugin": "kind: SecretGenerator\nmetadata: {name: g}\nliterals: [k=planted]\n",
    "a wrong shape": "kind: Secret\ndata: planted\nstringData: [planted, {k: planted}]\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_values_are_hidden(name: str) -> None:
    """Nothing of a value is left on either side, lines stay lines, and a change shows."""
    before = FILES[name].encode()
    after = before.replace(b"planted", b"planted-2", 1)

    shown = hide_secrets(before, after)
    diff = unified_diff("a", *shown)

    assert CANARY.encode() not in b"".join(shown)
    assert HIDDEN in diff
    assert "another value" in diff
    assert [side.count(b"\n") for side in shown] == [before.count(b"\n")] * 2
    assert hide_secrets(before, before)[0] == hide_secrets(before, before)[1]


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata: {k: v}\n",
        "kind: SecretStore\ndata: {k: v}\n",
        "kind: HelmRelease\nspec: {valuesFrom: [{kind: Secret, name: x}]}\n",
        "# kind: Secret\nkind: Deployment\nspec: {image: x}\n",
    ],
)
def test_other_objects_are_shown(text: str) -> None:
    """What is no Secret stays as it is, and so do names, types and kinds of Secrets."""
    assert hide_secrets(text.encode(), b"") == (text.encode(), b"")
    secret = b"apiVersion: v1\nkind: Secret\nmetadata: {name: n, labels: {a: b}}\ntype: Opaque\n"
    assert hide_secrets(secret, secret) == (secret, secret)
