"""Hypothesis strategies: small GitOps repositories of many dialects, written in many styles."""

from collections.abc import Callable

from hypothesis import strategies as st

__all__ = ["HOST", "trees"]

HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"

_DIGEST = "sha256:" + "0f" * 32
_HUB = ("nginx", "library/redis", "bitnami/redis", "docker.io/busybox", "docker.io/org/a")
_OTHERS = ("ghcr.io/org/app", "quay.io/org/a/b", "registry.k8s.io/pause", "public.ecr.aws/x/y")
_STAY = ("gcr.io/a/b", "${REGISTRY}/a", "mcr.microsoft.com/x", "localhost:5000/y", "UPPER")
_CACHED = (f"{HOST}/docker-hub/library/nginx", f"{HOST}/github/org/app", f"{HOST}/team/app")
_WRONG = (f"{HOST}/docker-hub/nginx", f"{HOST}/docker-hub/library/bitnami/redis")

upstream_names = st.sampled_from([*_HUB, *_OTHERS, *_OTHERS, *_STAY])
all_names = upstream_names | st.sampled_from([*_CACHED, *_WRONG])
identifiers = st.sampled_from(["", ":1.25", ":${TAG}", f"@{_DIGEST}", f":v1@{_DIGEST}", ":latest"])

comments = st.sampled_from(["", "", " # kept", "   # 😀 image: nginx", " # imageshift: ignore"])
quotes: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [str, str, '"{}"'.format, "'{}'".format]
)


def _value(draw: st.DrawFn, text: str) -> str:
    # A plain `${X}` would end a flow map, so variables are quoted.
    quote = draw(quotes)
    return f'"{text}"' if "{" in text and quote is str else quote(text)


def _image(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    return _value(draw, draw(names) + draw(identifiers))


def _pod(draw: st.DrawFn, names: st.SearchStrategy[str], kind: str) -> str:
    head = f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {kind}\nspec:\n"
    text = head + "  containers:\n"
    for index in range(draw(st.integers(1, 3))):
        image = _image(draw, names)
        shape = draw(st.sampled_from(["block", "flow", "first", "quoted"]))
        note = draw(comments)
        text += {
            "block": f"    - name: c{index}{note}\n      image: {image}\n",
            "flow": f"    - {{name: c{index}, image: {image}}}{note}\n",
            "first": f"    - image: {image}{note}\n      name: c{index}\n",
            "quoted": f'    - name: c{index}\n      "image":   {image}{note}\n',
        }[shape]
    return text


def _job(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    pod = _pod(draw, names, "job").split("spec:\n", 1)[1]
    body = "".join(f"    {line}\n" for line in pod.splitlines())
    head = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: job}\n"
    return f"{head}spec:\n  template:\n    spec:\n{body}"


def _release(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    text = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n"
    text += f"  chart: {{spec: {{chart: {draw(st.sampled_from(['app-template', 'any']))}}}}}\n"
    text += "  values:\n"
    for index in range(draw(st.integers(1, 3))):
        name, note = draw(names), draw(comments)
        registry, _, repository = name.partition("/")
        if not repository or "." not in registry or draw(st.booleans()):
            body = f"        repository: {_value(draw, name)}{note}\n"
        else:
            body = f"        registry: {_value(draw, registry)}{note}\n"
            body += f"        repository: {_value(draw, repository)}\n"
        tag = draw(st.sampled_from(["v1", '"1.25"', f"v1@{_DIGEST}"]))
        text += f"    app{index}:\n      image:\n{body}        tag: {tag}\n"
    if draw(st.booleans()):
        text += f"    extra:\n      image: {_image(draw, names)}\n"
    return text


def _shared(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    text = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: s}\nspec:\n"
    text += (
        f"  values:\n    a:\n      image:\n        repository: &name {_value(draw, draw(names))}\n"
    )
    text += "        tag: v1\n    b:\n      image:\n        repository: *name\n        tag: v2\n"
    if draw(st.booleans()):
        text += "    source: *name\n"
    return text


def _map(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    pod = _pod(draw, names, "inner")
    body = "".join(f"    {line}\n" for line in pod.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  pod.yaml: |\n{body}"


_OTHER = [
    "a: [b, {c: d}]\n",
    "# only a comment\n",
    "",
    "kind: Pod\nspec: [image: nginx\n",
    "image: nginx:1.25\n",
    "apiVersion: v1\nkind: Secret\nstringData: {image: 'nginx:1.25'}\n",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'nginx:1'}]}\nsops:\n  mac: x\n",
]


@st.composite
def documents(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    """One document of any dialect."""
    make = draw(
        st.sampled_from(["pod", "pod", "job", "release", "release", "shared", "map", "other"])
    )
    if make == "pod":
        return _pod(draw, names, "p")
    if make == "other":
        return draw(st.sampled_from(_OTHER))
    return {"job": _job, "release": _release, "shared": _shared, "map": _map}[make](draw, names)


@st.composite
def files(draw: st.DrawFn, names: st.SearchStrategy[str]) -> bytes:
    """One file of several documents, with any line ends, mark, and end."""
    text = "---\n".join(draw(st.lists(documents(names), min_size=1, max_size=3)))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    return mark + text.encode() + draw(st.sampled_from([b"", b"", b"", b"# \xff"]))


@st.composite
def trees(draw: st.DrawFn, *, cached: bool = True) -> dict[str, bytes]:
    """A repository: loose files, and a base with an overlay whose entries may match it."""
    names = all_names if cached else upstream_names
    made = {
        f"{folder}/f{index}.yaml": draw(files(names))
        for index, folder in enumerate(
            draw(st.lists(st.sampled_from(["apps", "infra/x", "."]), min_size=1, max_size=3))
        )
    }
    if draw(st.booleans()):
        name = draw(names)
        entry = draw(
            st.sampled_from(["newTag: v9", f"digest: {_DIGEST}", "newName: quay.io/org/n"])
        )
        made["base/kustomization.yaml"] = b"resources: [pod.yaml]\n"
        made["base/pod.yaml"] = _pod(draw, names, "base").encode()
        made["prod/kustomization.yaml"] = (
            f"resources: [../base]\nimages:\n- name: {_value(draw, name)}\n  {entry}\n".encode()
        )
    return made
