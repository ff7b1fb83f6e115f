"""The pulls as text: a plain list, a shell script, or Kubernetes Jobs.

Sources: `crane pull`, `skopeo copy` and `docker pull` by their own help; Kubernetes API, batch/v1
Job and the restricted Pod Security Standard.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Iterator
from enum import StrEnum
from string import Template

from msgspec import Struct

from imageshift.cache import Mapped, RuleSet
from imageshift.ecr import parse_ecr_host
from imageshift.errors import ConfigError
from imageshift.lazy import lazy_re
from imageshift.reference import parse_reference
from imageshift.source.node import resolves_to_string
from imageshift.warm.plan import Pull, WarmPlan

__all__ = ["HELPER_IMAGE", "WarmFormat", "WarmOptions", "helper_image", "render_warm"]

HELPER_IMAGE = "docker.io/library/busybox:1.37.0-musl"
"""Its static busybox is what the Jobs run inside every image, however empty that is."""


_PLATFORM = lazy_re(r"[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9.]+)?")
_NAMESPACE = lazy_re(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


class WarmFormat(StrEnum):
    """What the list of pulls is written as."""

    LIST = "list"
    CRANE = "crane"
    SKOPEO = "skopeo"
    DOCKER = "docker"
    JOB = "job"


class WarmOptions(Struct, frozen=True):
    """The platform to pull (`linux/amd64`), and where the Jobs run with which helper image.

    Raises:
        ConfigError: the platform or the namespace is none.
    """

    platform: str | None = None
    namespace: str = "default"
    helper: str = HELPER_IMAGE

    def __post_init__(self) -> None:
        if self.platform is not None and not _PLATFORM.fullmatch(self.platform):
            raise ConfigError(
                f"{self.platform!r} isn't a platform", hint="write it like linux/amd64"
            )
        if not _NAMESPACE.fullmatch(self.namespace):
            raise ConfigError(f"{self.namespace!r} isn't a Kubernetes namespace")


def helper_image(rules: RuleSet) -> str:
    """The helper image by way of the cache, where Docker Hub's or ECR Public's rule reaches it."""
    for text in (HELPER_IMAGE, HELPER_IMAGE.replace("docker.io", "public.ecr.aws/docker")):
        outcome = rules.map(parse_reference(text))
        if isinstance(outcome, Mapped):
            return str(outcome.target)
    return HELPER_IMAGE


def render_warm(plan: WarmPlan, form: WarmFormat, options: WarmOptions | None = None) -> str:
    """The text of a plan's pulls; empty when there are none."""
    chosen = options or WarmOptions()
    if not plan.pulls:
        return ""
    if form is WarmFormat.LIST:
        return "".join(f"{pull.target}\n" for pull in plan.pulls)
    if form is WarmFormat.JOB:
        return "---\n".join(_job(pull, chosen) for pull in plan.pulls)
    return "\n".join(_script(plan, form, chosen)) + "\n"


def _script(plan: WarmPlan, form: WarmFormat, options: WarmOptions) -> Iterator[str]:
    yield "#!/bin/sh"
    yield "# Pulls each image once by its tag, so that the cache has it before the roll-out."
    yield "set -u"
    yield "failed=0"
    yield 'try() { "$@" || failed=$((failed + 1)); }'
    if form is WarmFormat.SKOPEO:
        yield "scratch=$(mktemp -d) && trap 'rm -rf \"$scratch\"' EXIT"
    yield from _logins(plan, form)
    command = _COMMANDS[form]
    for pull in plan.pulls:
        yield f"try {command(shlex.quote(str(pull.target)), options.platform)}"
        if form is WarmFormat.SKOPEO:
            yield 'rm -rf "$scratch"/*'
    yield f'echo "$failed of {len(plan.pulls)} pulls failed" >&2'
    yield '[ "$failed" -eq 0 ]'


def _logins(plan: WarmPlan, form: WarmFormat) -> Iterator[str]:
    login = {WarmFormat.CRANE: "crane auth login"}.get(form, f"{form} login")
    for host in sorted({pull.target.registry for pull in plan.pulls}):
        ecr = parse_ecr_host(host)
        if ecr is not None:
            yield (
                f"aws ecr get-login-password --region {ecr.region}"
                f" | {login} --username AWS --password-stdin {host} || exit 1"
            )


def _crane(target: str, platform: str | None) -> str:
    chosen = "" if platform is None else f" --platform={platform}"
    return f"crane pull{chosen} {target} /dev/null"


def _skopeo(target: str, platform: str | None) -> str:
    system, _, machine = (platform or "").partition("/")
    arch, _, variant = machine.partition("/")
    options = [("os", system), ("arch", arch), ("variant", variant)]
    chosen = "".join(f" --override-{name} {value}" for name, value in options if value)
    return f'skopeo{chosen} copy docker://{target} dir:"$scratch"'


def _docker(target: str, platform: str | None) -> str:
    chosen = "" if platform is None else f" --platform {platform}"
    return f"docker pull --quiet{chosen} {target}"


_COMMANDS: dict[WarmFormat, Callable[[str, str | None], str]] = {
    WarmFormat.CRANE: _crane,
    WarmFormat.SKOPEO: _skopeo,
    WarmFormat.DOCKER: _docker,
}

_JOB = Template("""\
# Pulls $target on a node, with the node's own role.
apiVersion: batch/v1
kind: Job
metadata:
  name: $name
  namespace: $namespace
  labels:
    app.kubernetes.io/name: imageshift-warm
spec:
  backoffLimit: 0
  activeDeadlineSeconds: 900
  ttlSecondsAfterFinished: 3600
  template:
    metadata:
      labels:
        app.kubernetes.io/name: imageshift-warm
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
$selector      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      volumes:
        - name: warm
          emptyDir: {}
      initContainers:
        - name: helper
          image: $helper
          command: ["cp", "/bin/busybox", "/warm/true"]
$container
          volumeMounts:
            - name: warm
              mountPath: /warm
      containers:
        - name: pulled
          image: $quoted
          imagePullPolicy: Always
          command: ["/warm/true"]
$container
          volumeMounts:
            - name: warm
              mountPath: /warm
              readOnly: true
""")

_CONTAINER = """\
          resources:
            requests:
              cpu: 1m
              memory: 8Mi
            limits:
              memory: 32Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]"""


def _job(pull: Pull, options: WarmOptions) -> str:
    target = str(pull.target)
    number = hashlib.sha256(target.encode()).hexdigest()[:10]
    return _JOB.substitute(
        name=f"imageshift-warm-{number}",
        namespace=_spelled(options.namespace),
        target=target,
        quoted=json.dumps(target),
        helper=json.dumps(options.helper),
        selector=_selector(options.platform),
        container=_CONTAINER,
    )


def _spelled(name: str) -> str:
    return name if resolves_to_string(name) else json.dumps(name)


def _selector(platform: str | None) -> str:
    if platform is None:
        return ""
    system, _, machine = platform.partition("/")
    labels = {"os": system, "arch": machine.partition("/")[0]}
    lines = [
        f"        kubernetes.io/{key}: {_spelled(value)}\n"
        for key, value in labels.items()
        if value
    ]
    return "".join(["      nodeSelector:\n", *lines])
