"""Values that people wrote for a cache by hand, on a chart that has moved on since."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree

VALUES = """\
global: {registry: ''}
main:
  image: {repository: quay.io/org/main, tag: '1'}
cache:
  image: {repository: public.ecr.aws/docker/library/redis, tag: '8'}
metrics: thanos/thanos
hooks:
  label:
    image: {repository: docker.io/org/crds, tag: '1'}
  resources: {limits: {}}
  affinity: {nodes: {}}
probe:
  image: {repository: docker.io/curlimages/curl, tag: '8'}
ha: {enabled: false}
"""
TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  template:
    spec:
      {{- with .Values.hooks }}
      affinity: {{ toYaml .affinity | nindent 8 }}
      {{- end }}
      containers:
        - image: "{{ .Values.main.image.repository }}:{{ .Values.main.image.tag }}"
        - image: "{{ .Values.cache.image.repository }}:{{ .Values.cache.image.tag }}"
        - image: "{{ .Values.global.registry | default "quay.io" }}/{{ .Values.metrics }}:1"
        - image: "{{ .Values.hooks.label.image.repository }}:{{ .Values.hooks.label.image.tag }}"
          resources: {{- toYaml .Values.hooks.resources | nindent 12 }}
        - image: "{{ .Values.probe.image.repository }}:{{ .Values.probe.image.tag }}"
"""
BELOW = """\
apiVersion: v1
kind: Pod
metadata: {name: proxy}
spec: {containers: [{image: "{{ .Values.haproxy.image.repository }}:3"}]}
"""
DEPENDENCY = "dependencies: [{name: ha, version: 1.0.0, condition: ha.enabled}]\n"
CHART = {
    "Chart.yaml": f"apiVersion: v2\nname: app\nversion: 2.0.0\n{DEPENDENCY}",
    "values.yaml": VALUES,
    "templates/all.yaml": TEMPLATE,
    "charts/ha/Chart.yaml": "apiVersion: v2\nname: ha\nversion: 1.0.0\n",
    "charts/ha/values.yaml": "haproxy: {image: {repository: docker.io/library/haproxy}}\n",
    "charts/ha/templates/proxy.yaml": BELOW,
}
DEAD = "override-dead: nothing reads {}: app 2.0.0 has no such value"
RELEASE = f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: apps}}
spec:
  chart:
    spec:
      chart: app
      sourceRef: {{kind: HelmRepository, name: charts}}
  values:
    global:
      registry: {HOST}
    main:
      image:
        repository: {HOST}/quay/org/main
    haproxy:
      image:
        repository: {HOST}/docker-hub/library/haproxy
    hooks:
      label:
        image:
          repository: {HOST}/docker-hub/org/crds
      probe:
        image:
          repository: {HOST}/docker-hub/curlimages/curl
"""
MENDED = f"""\
  values:
    global:
      registry: {HOST}/quay
    main:
      image:
        repository: {HOST}/quay/org/main
    hooks:
      label:
        image:
          repository: {HOST}/docker-hub/org/crds
    cache:
      image:
        repository: {HOST}/ecr/docker/library/redis
    probe:
      image:
        repository: {HOST}/docker-hub/curlimages/curl
"""


def test_exactly_the_defects_are_found_and_one_run_mends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images left upstream, a path that isn't there, and values that nothing reads where they are.

    A value of a switched-off subchart is dead beside its map, and one that belongs elsewhere in
    the map where it stands, whatever else the templates take from that map.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "repo"
    config = "charts:\n  sources:\n    app: charts/app\nexclude: [charts]\n"
    chart = {f"charts/app/{path}": text for path, text in CHART.items()}
    write_tree(root, {**chart, ".imageshift.yaml": config, "apps/web.yaml": RELEASE})

    found = run(root, "check", "apps", *REGISTRY).stdout.replace(HOST, "HOST")
    mended = run(root, "migrate", "apps", *REGISTRY, "--mend-stale", "--prune", "--quiet")
    after = run(root, "check", "apps", *REGISTRY)

    assert [line for line in found.splitlines() if not line.startswith("  ")] == [
        "apps/web.yaml:3:18: docker.io/curlimages/curl:8 is not from the cache",
        "apps/web.yaml:3:18: public.ecr.aws/docker/library/redis:8 is not from the cache",
        (
            "apps/web.yaml:11:17: path-phantom: no rule covers HOST/thanos/thanos: "
            "app 2.0.0 uses quay.io/thanos/thanos:1 by default"
        ),
        f"apps/web.yaml:17:21: {DEAD.format('haproxy.image.repository')}",
        f"apps/web.yaml:24:23: {DEAD.format('hooks.probe.image.repository')}",
    ]
    assert mended.code == 0
    text = (root / "apps" / "web.yaml").read_text()
    assert text.partition("  values:\n")[2] == MENDED.partition("  values:\n")[2]
    assert (after.code, after.stdout) == (0, "")
