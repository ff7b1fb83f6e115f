"""What a roll-out pulls and costs: counts, limits and arithmetic, in whole texts."""

from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree
from ecr_server import EcrServer
from imageshift.aws.used import used_image
from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.reference import parse_reference
from imageshift.upstream.sizes import Size
from imageshift.warm.forecast import SizeSource, forecast, forecast_lines, size_report
from web_server import page, serve

pytest_plugins = ("ecr_fixtures",)

RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)


def lines(texts: dict[str, int], nodes: int, sizes: dict[str, Size] | None = None) -> list[str]:
    """Return the forecast of images, each with how often it is named."""
    used = [
        used_image(parse_reference(text), RULES, [f"a.yaml:{n}:1" for n in range(times)])
        for text, times in texts.items()
    ]
    known = {parse_reference(text): size for text, size in (sizes or {}).items()}
    report = size_report(used, known, SizeSource.UPSTREAM, "linux/amd64") if sizes else None
    return list(forecast_lines(forecast(used, nodes, report)))


def test_counts_and_limits() -> None:
    """Each registry is counted, and Docker Hub's limits are set against the pulls of a roll."""
    found = lines({"nginx:1.27": 3, "bitnami/redis:7": 1, "gcr.io/a/b:1": 2}, 30)

    assert found == [
        "docker.io: 2 images, 4 references, 2 through the cache",
        "gcr.io: 1 image, 2 references, 0 through the cache",
        "a roll of 30 nodes, each pulling each image once, from Docker Hub:",
        "  without the cache 30 x 2 images = 60 pulls",
        "    without a login 60 / 10 an hour = 6 hours, for all nodes behind one address",
        "    with a personal account 60 / 100 an hour = 1 hour",
        "  with it at most 2 pulls in 24 hours by the rule's account, 2 / 100 an hour = 1 hour",
        "sizes aren't known: --sizes upstream asks the registries of the images for them",
    ]


def test_sizes_and_cost() -> None:
    """Storage and transfer are products of what is known, and of dated prices."""
    base, more = {"sha256:base": 2_000_000_000}, {"sha256:more": 500_000_000}
    sizes = {
        "quay.io/a/b:1": Size(base | more, base | more | {"sha256:arm": 1_000_000_000}),
        "quay.io/a/b:2": Size(base, base),
        "quay.io/a/c:1": Size(base, base),
        "quay.io/a/d:1": Size(None, None, "it is private"),
        "registry.k8s.io/x:1": Size(base, None, "its rate limit is reached"),
    }

    found = lines({**dict.fromkeys(sizes, 1), "gcr.io/a/b:1": 1}, 4, sizes)

    assert found[3:] == [
        "sizes by the upstreams for linux/amd64, each layer once in a registry:",
        "  quay.io: 2.50 GB for 3 of 4 images",
        "    1 image not known: it is private: quay.io/a/d:1",
        "  registry.k8s.io: 2.00 GB for 1 of 1 image",
        "storage of 3 of 5 images, all platforms, each layer once in a repository:",
        "  5.50 GB x $0.10 = $0.55 a month",
        "a roll moves 4 x 4.50 GB = 18.00 GB:",
        "  through a NAT gateway 18.00 GB x $0.045 = $0.81",
        "  free inside the Region by VPC endpoints of ECR and S3's gateway",
        "prices of us-east-1, March 2026",
    ]


def test_sizes_that_nobody_knows() -> None:
    """Images are named by the reason, a few of them, and nothing is reckoned with."""
    why = Size(None, None, "quay.io gives no answer: timed out")

    found = lines(
        {f"quay.io/a/b:{n}": 1 for n in range(5)}, 4, {f"quay.io/a/b:{n}": why for n in range(5)}
    )

    named = "quay.io/a/b:0, quay.io/a/b:1, quay.io/a/b:2 and 2 more"
    assert found[1:] == [
        "sizes by the upstreams for linux/amd64, each layer once in a registry:",
        "  quay.io: 0.00 GB for 0 of 5 images",
        f"    5 images not known: quay.io gives no answer: timed out: {named}",
        "prices of us-east-1, March 2026",
    ]


@pytest.mark.parametrize("images", [0, 1, 101])
def test_the_hub_is_named_only_where_it_is_used(images: int) -> None:
    """Without an image of Docker Hub nothing is said of its limits."""
    found = lines({f"a/b{n}:1": 1 for n in range(images)}, 1)

    assert any("Docker Hub" in line for line in found) is bool(images)


def test_the_command_asks_ecr_for_sizes(ecr_server: EcrServer, tmp_path: Path) -> None:
    """`warm --forecast --sizes ecr` asks for each image once, and pulls nothing."""
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1.27\n"
    write_tree(tmp_path, {"pod.yaml": pod})
    ecr_server.sizes["docker-hub/library/nginx", "1.27"] = 70_000_000

    done = run(tmp_path, "warm", ".", "--forecast", "--sizes", "ecr", "--nodes", "3", *REGISTRY)

    assert done.code == 0
    assert "sizes by ECR for linux/amd64" in done.stdout
    assert "docker.io: 0.07 GB for 1 of 1 image" in done.stdout
    assert [call for call, _ in ecr_server.calls] == ["DescribeImages"]


def test_what_ecr_has_is_not_pulled_again(ecr_server: EcrServer, tmp_path: Path) -> None:
    """`warm --pull --missing` goes on where a run ended: here nothing is left to pull."""
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1.27\n"
    write_tree(tmp_path, {"pod.yaml": pod})
    ecr_server.sizes["docker-hub/library/nginx", "1.27"] = 70_000_000

    done = run(tmp_path, "warm", ".", "--pull", "--missing", *REGISTRY)

    assert done.code == 0
    assert "1 pull left out: ECR already has their images" in done.stderr


def test_only_ecr_can_be_asked_what_is_missing(tmp_path: Path) -> None:
    """Behind another host a question would be a pull, so it is refused."""
    write_tree(tmp_path, {"pod.yaml": "apiVersion: v1\nkind: Pod\n"})

    done = run(tmp_path, "warm", ".", "--pull", "--missing", "--registry-host", "cache.example.com")

    assert done.code == 2
    assert "--missing asks ECR" in done.stderr


@pytest.mark.once
def test_a_limit_is_said(tmp_path: Path) -> None:
    """`warm --pull` stops at a rate limit, says so, and says how to go on."""
    images = "".join(f"  - image: nginx:{n}\n" for n in range(6))
    write_tree(tmp_path, {"pod.yaml": f"kind: Pod\nspec:\n  containers:\n{images}"})
    with serve({"*": page(status=429)}) as web:
        done = run(tmp_path, "warm", "pod.yaml", "--pull", "--registry-host", web.host)

    assert done.code == 4
    assert "nginx:0: a rate limit is reached" in done.stdout
    assert "nginx:5: not tried, since a rate limit of docker.io is reached" in done.stdout
    assert "--pull --missing goes on from here" in done.stderr
