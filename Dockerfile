# imageshift with helm and kubectl, for CI jobs that render charts and kustomizations.
#   docker build -t imageshift .
#   docker run --rm -v "$PWD:/repository" imageshift check .
ARG PYTHON=3.13
ARG HELM=4.1.0
ARG KUBECTL=v1.35.0

FROM alpine/helm:${HELM} AS helm
FROM registry.k8s.io/kubectl:${KUBECTL} AS kubectl

FROM python:${PYTHON}-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m venv /opt/imageshift && /opt/imageshift/bin/pip install --no-cache-dir ".[aws]"

FROM python:${PYTHON}-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 imageshift
COPY --from=helm /usr/bin/helm /usr/local/bin/helm
COPY --from=kubectl /bin/kubectl /usr/local/bin/kubectl
COPY --from=build /opt/imageshift /opt/imageshift
ENV PATH="/opt/imageshift/bin:$PATH"
USER 1000
WORKDIR /repository
ENTRYPOINT ["imageshift"]
CMD ["--help"]
