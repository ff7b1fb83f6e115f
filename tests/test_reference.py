"""`imageshift.reference` reads what distribution's reference grammar reads, and nothing else.

The tables hold the facts that distribution/reference's own tests state, and the limits of its
grammar; its only looseness that is kept is that any bare word is a name.
"""

import pytest

from imageshift.errors import InvalidReferenceError, VariableReferenceError
from imageshift.reference import ImageReference, has_host, name_length, parse_reference

HEX = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
SHA256 = f"sha256:{HEX}"
SHA384 = f"sha384:{HEX}{HEX[:32]}"
SHA512 = f"sha512:{HEX}{HEX}"
HUB = "docker.io"

Parts = tuple[str, str, str | None, str | None]

NAMES: dict[str, tuple[str, str, str]] = {
    "bare word": ("debian", HUB, "library/debian"),
    "bare number, as a YAML float would be": ("1.25", HUB, "library/1.25"),
    "bare word that YAML reads as a boolean": ("true", HUB, "library/true"),
    "bare word with a dot is no host": ("test.com", HUB, "library/test.com"),
    "bare word with a dash": ("ubuntu-12.04-base", HUB, "library/ubuntu-12.04-base"),
    "bare IPv4 address is no host": ("192.168.0.1", HUB, "library/192.168.0.1"),
    "bare localhost is no host": ("localhost", HUB, "library/localhost"),
    "organisation": ("docker/migrator", HUB, "docker/migrator"),
    "organisation with an underscore": ("test_com/foo", HUB, "test_com/foo"),
    "organisation called library": ("library/debian", HUB, "library/debian"),
    "image called library": ("other/library", HUB, "other/library"),
    "three parts on Docker Hub": ("store/foo/bar", HUB, "store/foo/bar"),
    "library with two parts below": ("library/foo/bar", HUB, "library/foo/bar"),
    "explicit Docker Hub": ("docker.io/docker/docker", HUB, "docker/docker"),
    "explicit Docker Hub, official": ("docker.io/debian", HUB, "library/debian"),
    "explicit Docker Hub with library": ("docker.io/library/debian", HUB, "library/debian"),
    "old index host": ("index.docker.io/docker/docker", HUB, "docker/docker"),
    "old index host, official": ("index.docker.io/debian", HUB, "library/debian"),
    "old index host with a port is another": (
        "index.docker.io:443/debian",
        "index.docker.io:443",
        "debian",
    ),
    "API host of Docker Hub is left to the rules": (
        "registry-1.docker.io/library/debian",
        "registry-1.docker.io",
        "library/debian",
    ),
    "localhost": ("localhost/debian", "localhost", "debian"),
    "localhost with an organisation": ("localhost/library/debian", "localhost", "library/debian"),
    "host with a dot": ("test.com/foo", "test.com", "foo"),
    "host with a port": ("test:8080/foo", "test:8080", "foo"),
    "host with a dot and a port": ("test.com:8080/foo", "test.com:8080", "foo"),
    "host with a dash and a port": ("test-com:8080/foo", "test-com:8080", "foo"),
    "host with sub-domains": (
        "sub-dom1.foo.com/bar/baz/quux",
        "sub-dom1.foo.com",
        "bar/baz/quux",
    ),
    "host in punycode": ("xn--n3h.com:18080/foo", "xn--n3h.com:18080", "foo"),
    "host that is an IPv4 address": ("192.168.0.2:25000/debian", "192.168.0.2:25000", "debian"),
    "host that is a short IPv6 address": ("[2001:db8::1]/repo", "[2001:db8::1]", "repo"),
    "host that is a full IPv6 address": (
        "[fc00:1:2:3:4:5:6:7]:5000/library/debian",
        "[fc00:1:2:3:4:5:6:7]:5000",
        "library/debian",
    ),
    "host that ends in two colons": ("[2001:db8::]:5000/repo", "[2001:db8::]:5000", "repo"),
    "host that is the loopback of IPv6": ("[::1]:5000/repo", "[::1]:5000", "repo"),
    "host in capitals without a dot": (
        "LOCALDOMAIN/library/debian",
        "LOCALDOMAIN",
        "library/debian",
    ),
    "host with one capital": ("Docker/docker", "Docker", "docker"),
    "host in capitals is not made small": ("GHCR.IO/org/app", "GHCR.IO", "org/app"),
    "Docker Hub in capitals is not known here": ("Docker.io/debian", "Docker.io", "debian"),
    "host with an underscore": ("my_registry.local/app", "my_registry.local", "app"),
    "host with two underscores": ("a__b.c/d/e", "a__b.c", "d/e"),
    "repository that looks like a host": (
        "b.gcr.io/test.example.com/my-app",
        "b.gcr.io",
        "test.example.com/my-app",
    ),
    "many dashes": ("docker---rules/docker", HUB, "docker---rules/docker"),
    "two underscores": ("dock__er/docker", HUB, "dock__er/docker"),
    "one character": ("d/docker", HUB, "d/docker"),
    "64 characters, not all hexadecimal": (f"{HEX[:-1]}g", HUB, f"library/{HEX[:-1]}g"),
    "63 hexadecimal digits": (HEX[:-1], HUB, f"library/{HEX[:-1]}"),
    "64 hexadecimal digits on a host": (f"docker.io/{HEX}", HUB, f"library/{HEX}"),
    "repository of 255 characters": (f"example.com/{'a' * 255}", "example.com", "a" * 255),
    "255 characters count library too": ("a" * 247, HUB, f"library/{'a' * 247}"),
    "length of the host doesn't count": (
        f"{'h' * 60}.com/{'a' * 255}",
        f"{'h' * 60}.com",
        "a" * 255,
    ),
}

IDENTIFIERS: dict[str, tuple[str, str | None, str | None]] = {
    "none": ("", None, None),
    "tag": (":tag", "tag", None),
    "tag in capitals": (":Uppercase", "Uppercase", None),
    "tag of digits, which is no port": (":5000", "5000", None),
    "tag like a host": (":test.example.com", "test.example.com", None),
    "tag that starts with an underscore": (":_x", "_x", None),
    "tag that ends in a dot": (":v1.", "v1.", None),
    "tag of 128 characters": (f":{'t' * 128}", "t" * 128, None),
    "digest": (f"@{SHA256}", None, SHA256),
    "digest of SHA-384": (f"@{SHA384}", None, SHA384),
    "digest of SHA-512": (f"@{SHA512}", None, SHA512),
    "tag and digest": (f":tag@{SHA256}", "tag", SHA256),
    "variable of Flux": (":${TAG}", "${TAG}", None),
    "variable with slash and colon in its default": (":${X:=a/b:c}", "${X:=a/b:c}", None),
    "variable with an at sign in its default": (":${X:=a/b@c}", "${X:=a/b@c}", None),
    "variable with a blank in its default": (":${X:-a b}", "${X:-a b}", None),
    "variable in the default of another": (":${X:-${Y:=z}}", "${X:-${Y:=z}}", None),
    "variable of Kubernetes": (":$(TAG)", "$(TAG)", None),
    "placeholder of templates": (":{{x}}", "{{x}}", None),
    "placeholder with blanks": (":{{ .Values.tag }}", "{{ .Values.tag }}", None),
    "placeholder with a pipe and quotes": (
        ':{{ .x | default "a" }}',
        '{{ .x | default "a" }}',
        None,
    ),
    "variable amid a tag": (":v${MAJOR}.2-alpine", "v${MAJOR}.2-alpine", None),
    "two variables in a tag": (":${A}${B}", "${A}${B}", None),
    "variable in the tag before a digest": (f":${{TAG}}@{SHA256}", "${TAG}", SHA256),
    "variable for the digest": ("@${DIGEST}", None, "${DIGEST}"),
    "variable for the digest's digits": ("@sha256:${SUM}", None, "sha256:${SUM}"),
    "variable for the digest's algorithm": (f"@${{ALG}}:{HEX}", None, f"${{ALG}}:{HEX}"),
    "variables for tag and digest": (":${TAG}@${DIGEST}", "${TAG}", "${DIGEST}"),
    "variable for the digest after a tag": (":1.0@${DIGEST}", "1.0", "${DIGEST}"),
}

REFUSED: dict[str, str] = {
    "empty": "",
    "only a tag": ":justtag",
    "only a digest": f"@{SHA256}",
    "name that is a digest's algorithm and digits, as runtimes take": SHA256.upper(),
    "64 hexadecimal digits, an image's id": HEX,
    "name in capitals": "Uppercase:tag",
    "name in capitals after a host": "test:5000/Uppercase/lowercase:tag",
    "name in capitals on Docker Hub": "docker/Docker",
    "name in capitals after a host with an underscore": "a_b.c/Docker",
    "URL": "https://github.com/docker/docker",
    "URL of a chart": "oci://ghcr.io/org/chart",
    "dash first": "-docker",
    "dash first in the organisation": "-docker/docker",
    "dash last in the organisation": "docker-/docker",
    "dash first in the host": "-docker.io/docker/docker",
    "underscore first": "_docker/_docker",
    "only underscores": "____/____",
    "three underscores": "a___b",
    "two dots": "dock..er/docker",
    "underscore and dot": "dock_.er/docker",
    "dash and dot": "dock-.er/docker",
    "dot first": ".hidden/x",
    "empty part": "docker///docker",
    "empty part after a host": "docker.io/docker///docker",
    "slash first": "/docker",
    "slash last": "docker/",
    "slash last after a host": "docker.io/",
    "signs": "aa/asdf$$^/aa",
    "wildcard": "docker.io/bitnami/*",
    "host with an underscore and a port": "foo_bar.com:5000/repo",
    "host with a port that is no number": "test:port/repo",
    "IPv6 address alone": "[2001:db8::1]",
    "IPv6 address and port alone": "[2001:db8::1]:5000",
    "IPv6 address with a tag": "[2001:db8::1]:tag",
    "IPv6 address without brackets": "fc00::1:5000/debian",
    "IPv6 address with a zone": "[fe80::1%eth0]:5000/repo",
    "IPv6 address with a broken zone": "[fe80::1%@invalidzone]:5000/repo",
    "IPv6 address that holds an IPv4 one": "[2001:db8:3:4::192.0.2.33]:5000/debian",
    "repository of 256 characters": f"example.com/{'a' * 256}",
    "repository of 256 characters with library": "a" * 248,
    "repository of 256 characters on a host with an underscore": f"a_b.c/{'a' * 250}",
    "tag of 129 characters": f"nginx:{'t' * 129}",
    "tag that starts with a dash": "busybox:-foo",
    "tag that starts with a dot": "busybox:.foo",
    "tag that is empty": "busybox:",
    "tag with a plus, as charts have": "busybox:1.0+build",
    "tag beyond ASCII": "busybox:é",
    "two tags": "busybox:1:2",
    "name beyond ASCII": "naïve/app",
    "digest that is empty": "repo@",
    "digest without algorithm": f"repo@{HEX}",
    "digest too short": "repo@sha256:ffffffffffffffffffffffffffffffffff",
    "digest too long": f"repo@{SHA256}00",
    "digest with too few digits for SHA-512": f"repo@sha512:{HEX}",
    "digest in capitals": f"repo@sha256:{HEX.upper()}",
    "digest of an unknown algorithm": f"validname@invaliddigest:{HEX}",
    "digest of an old algorithm": f"repo@md5:{HEX[:32]}",
    "digest of a compound algorithm": f"repo@sha256+b64:{HEX}",
    "two digests": f"repo@{SHA256}@{SHA256}",
    "digest before the tag": f"repo@{SHA256}:tag",
    "line end": "nginx\n",
    "line end amid": "nginx\n:1",
    "carriage return": "nginx:1\r",
    "tab": "nginx:\t1",
    "blank before": " nginx",
    "blank after": "nginx ",
    "blank amid": "nginx :1",
    "blank that is none in ASCII": "nginx\u00a0",
    "zero byte": "nginx\x00",
    "variable without braces": "nginx:$TAG",
    "variable that doesn't end": "nginx:${TAG",
    "variable over two lines": "nginx:${A\n}",
    "placeholder that doesn't end": "nginx:{{x",
    "literal wrong beside a variable": "nginx:-${TAG}",
    "tag wrong between variables": "nginx:${A}:${B}",
    "tag too long beside a variable": f"nginx:${{A}}{'t' * 128}",
    "tag empty before a variable digest": "nginx:@${DIGEST}",
    "digest wrong beside a variable tag": "nginx:${TAG}@sha256:abc",
    "two digests, one a variable": "nginx@@${DIGEST}",
    "digest with a slash beside a variable": "nginx@${DIGEST}/x",
    "only a variable digest": "@${DIGEST}",
    "only a variable tag": ":${TAG}",
}

VARIABLE_NAMES: dict[str, str] = {
    "whole": "${IMAGE}",
    "host": "${REGISTRY}/app:1",
    "host with a slash and colon in its default": "${REGISTRY:=ghcr.io/a:b}/app:1",
    "port": "localhost:${PORT}/app",
    "repository": "ghcr.io/${ORG}/app:1",
    "end of the repository": "ghcr.io/org/app-${FLAVOUR}",
    "colon and tag in one variable": "ghcr.io/org/app${TAG:+:1}",
    "Kubernetes' form": "$(REGISTRY)/app",
    "template's form": "{{registry}}/app:1",
    "template's form with blanks": "{{ .Values.registry }}/app:1",
    "one inside another's default": "${REGISTRY:-${OTHER}}/app",
    "name and tag": "${REGISTRY}/app:${TAG}",
}

FAMILIAR: dict[str, tuple[str, str]] = {
    "official": ("docker.io/library/nginx:1.27", "nginx:1.27"),
    "official with a digest": (f"library/busybox:1@{SHA256}", f"busybox:1@{SHA256}"),
    "organisation": ("index.docker.io/bitnami/redis", "bitnami/redis"),
    "two parts below library stay": ("docker.io/library/foo/bar", "library/foo/bar"),
    "other host": ("quay.io/org/app:1", "quay.io/org/app:1"),
    "library on another host stays": ("gcr.io/library/busybox", "gcr.io/library/busybox"),
    "variable in the tag": ("docker.io/library/nginx:${TAG}", "nginx:${TAG}"),
    "organisation that would be read as a host": (
        "docker.io/b.gcr.io/app",
        "docker.io/b.gcr.io/app",
    ),
    "organisation called localhost": ("docker.io/localhost/app:1", "docker.io/localhost/app:1"),
    "name that would be read as an id": (f"docker.io/{HEX}", f"docker.io/library/{HEX}"),
}


@pytest.mark.parametrize(("text", "registry", "repository"), NAMES.values(), ids=NAMES)
def test_names(text: str, registry: str, repository: str) -> None:
    """A name is split into registry and repository as ParseNormalizedNamed does."""
    assert parse_reference(text) == ImageReference(registry, repository)


@pytest.mark.parametrize("name", ["nginx", "test:5000/repo", "[::1]:5000/repo", "a_b.c/repo"])
@pytest.mark.parametrize(("text", "tag", "digest"), IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_tags_and_digests(name: str, text: str, tag: str | None, digest: str | None) -> None:
    """Tag and digest are read after every form of name, and kept byte for byte."""
    bare = parse_reference(name)
    found = parse_reference(name + text)
    assert found == ImageReference(bare.registry, bare.repository, tag, digest)
    assert found.normalized == bare.normalized + text


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: str) -> None:
    """What distribution refuses is refused, and not because of a variable in the name."""
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference(text)
    assert type(caught.value) is InvalidReferenceError
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", VARIABLE_NAMES.values(), ids=VARIABLE_NAMES)
def test_variable_in_the_name(text: str) -> None:
    """A variable in registry or repository is told apart from a text that is no reference."""
    with pytest.raises(VariableReferenceError, match="variable in its registry or repository"):
        parse_reference(text)


@pytest.mark.parametrize(("text", "familiar"), FAMILIAR.values(), ids=FAMILIAR)
def test_familiar(text: str, familiar: str) -> None:
    """The familiar text is the short one, unless that would be read as something else."""
    reference = parse_reference(text)
    assert reference.familiar == familiar
    assert parse_reference(familiar) == reference


def test_parts() -> None:
    """Every part of a reference has its own name."""
    reference = parse_reference(f"ghcr.io/org/team/app:1@{SHA256}")
    assert (reference.namespace, reference.name) == ("org/team", "app")
    assert reference.full_name == "ghcr.io/org/team/app"
    assert reference.identifier == f":1@{SHA256}"
    assert str(reference) == reference.normalized == f"ghcr.io/org/team/app:1@{SHA256}"


def test_namespace_of_a_single_part() -> None:
    """A repository of one part has an empty namespace."""
    assert parse_reference("registry.k8s.io/pause").namespace == ""


@pytest.mark.parametrize(
    ("text", "official"),
    [
        ("nginx", True),
        ("bitnami/nginx", False),
        ("gcr.io/library/x", False),
        ("library/a/b", False),
    ],
)
def test_is_official(text: str, official: bool) -> None:  # noqa: FBT001 a table's column
    """Only single names below Docker Hub's own `library/` are official images."""
    assert parse_reference(text).is_official is official


def test_with_name() -> None:
    """A new name keeps tag and digest."""
    moved = parse_reference(f"nginx:1@{SHA256}").with_name("quay.io", "org/nginx")
    assert moved == ImageReference("quay.io", "org/nginx", "1", SHA256)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("nginx", False, id="bare word"),
        pytest.param("localhost", False, id="bare localhost"),
        pytest.param("ghcr.io", False, id="bare host"),
        pytest.param("bitnami/redis", False, id="organisation"),
        pytest.param("test_com/foo", False, id="underscore"),
        pytest.param("localhost/x", True, id="localhost"),
        pytest.param("ghcr.io/x", True, id="dot"),
        pytest.param("registry:5000/x", True, id="port"),
        pytest.param("[::1]/x", True, id="IPv6"),
        pytest.param("Registry/x", True, id="capital"),
    ],
)
def test_has_host(text: str, expected: bool) -> None:  # noqa: FBT001 a table's column
    """The first part is a host by distribution's rule alone."""
    assert has_host(text) is expected


@pytest.mark.parametrize("name", ["nginx", "localhost:5000/app", "[::1]:5000/a", "ghcr.io/a/b"])
@pytest.mark.parametrize(
    "identifier", [text for text, _, _ in IDENTIFIERS.values()], ids=IDENTIFIERS
)
def test_name_length(name: str, identifier: str) -> None:
    """The name ends before tag and digest, whatever signs a variable in them holds."""
    assert name_length(name + identifier) == len(name)


@pytest.mark.parametrize("name", ["${REGISTRY:=a/b:c@d}/app", "ghcr.io/${X:=a:b}/app", "${IMAGE}"])
def test_name_length_with_a_variable_in_the_name(name: str) -> None:
    """Signs inside a variable of the name don't end it."""
    assert name_length(f"{name}:1") == len(name)
