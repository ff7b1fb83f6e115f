"""Image fields of delivery: Argo, Tekton, runners, builds and packages.

Argo's and Tekton's controllers read some of these images from the registry themselves (fact X15).
"""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]

_ARGO = "argoproj/argo-workflows manifests/base/crds/full"
_ROLLOUTS = "argoproj/argo-rollouts manifests/crds"
_EVENTS = "argoproj/argo-events pkg/apis/events/v1alpha1/"
_TEKTON_TYPES = "tektoncd/pipeline pkg/apis/pipeline/v1/"
_ARC = "actions/actions-runner-controller charts/"

_CONTAINER_PLACES = (
    "container",
    "containerSet.containers[]",
    "initContainers[]",
    "script",
    "sidecars[]",
)
_INLINE = ("dag.tasks[].inline", "steps[][].inline")


def _templates(*prefixes: str) -> tuple[str, ...]:
    inline = tuple(f"{prefix}.{place}" for prefix in prefixes for place in _INLINE)
    return tuple(f"{prefix}.{place}" for prefix in prefixes + inline for place in _CONTAINER_PLACES)


def _manifests(*prefixes: str) -> tuple[str, ...]:
    inline = tuple(f"{prefix}.{place}" for prefix in prefixes for place in _INLINE)
    return tuple(f"{prefix}.resource.manifest" for prefix in prefixes + inline)


_WORKFLOW = (
    "Workflow WorkflowTemplate ClusterWorkflowTemplate",
    *_templates("spec.templates[]", "spec.templateDefaults"),
)
_ARGO_ROWS: tuple[ImageField, ...] = (
    *Definition("argoproj.io", _ARGO).containers(*_WORKFLOW),
    *Definition("argoproj.io", f"{_ARGO}/argoproj.io_cronworkflows.yaml").containers(
        "CronWorkflow",
        *_templates("spec.workflowSpec.templates[]", "spec.workflowSpec.templateDefaults"),
    ),
    *Definition("argoproj.io", _ARGO).objects(
        "Workflow WorkflowTemplate ClusterWorkflowTemplate",
        *_manifests("spec.templates[]", "spec.templateDefaults"),
    ),
    *Definition("argoproj.io", f"{_ARGO}/argoproj.io_cronworkflows.yaml").objects(
        "CronWorkflow",
        *_manifests("spec.workflowSpec.templates[]", "spec.workflowSpec.templateDefaults"),
    ),
    *Definition("argoproj.io", f"{_ROLLOUTS}/rollout-crd.yaml").pod_templates(
        "Rollout", "spec.template"
    ),
    *Definition("argoproj.io", f"{_ROLLOUTS}/experiment-crd.yaml").pod_templates(
        "Experiment", "spec.templates[].template"
    ),
    *Definition("argoproj.io", _ROLLOUTS).pod_templates(
        "AnalysisRun AnalysisTemplate ClusterAnalysisTemplate",
        "spec.metrics[].provider.job.spec.template",
    ),
    *Definition("argoproj.io", "argoproj/argo-workflows docs/executor_plugins.md").containers(
        "ExecutorPlugin", "spec.sidecar.container"
    ),
    *Definition("argoproj.io", f"{_EVENTS}eventsource_types.go").containers(
        "EventSource", "spec.template.container"
    ),
    *Definition("argoproj.io", f"{_EVENTS}sensor_types.go").containers(
        "Sensor", "spec.template.container"
    ),
    *Definition("argoproj.io", f"{_EVENTS}sensor_types.go").objects(
        "Sensor",
        "spec.triggers[].template.argoWorkflow.source.resource",
        "spec.triggers[].template.k8s.source.resource",
    ),
)

_argocd = Definition(
    "argoproj.io", "argoproj-labs/argocd-operator bundle/manifests/argoproj.io_argocds.yaml"
)
_ARGO_CD: tuple[ImageField, ...] = (
    *(
        row
        for part in (
            "applicationSet.",
            "",
            "grafana.",
            "notifications.",
            "redis.",
            "repo.",
            "sso.dex.",
            "sso.keycloak.",
        )
        for row in _argocd.of(
            FieldShape.NAME_WITHOUT_TAG,
            "ArgoCD",
            f"spec.{part}image",
            version=f"spec.{part}version",
        )
    ),
    *_argocd.of(
        FieldShape.NAME_WITHOUT_TAG,
        "ArgoCD",
        "spec.ha.redisProxyImage",
        version="spec.ha.redisProxyVersion",
    ),
    *_argocd.containers(
        "ArgoCD",
        *(
            f"spec.{part}.{place}[]"
            for part in ("controller", "repo", "server")
            for place in ("initContainers", "sidecarContainers")
        ),
    ),
)


_TEKTON: tuple[ImageField, ...] = (
    *Definition("tekton.dev", "tektoncd/pipeline config/300-crds/300-task.yaml").tekton_specs(
        "Task", "spec"
    ),
    *Definition(
        "tekton.dev", "tektoncd/pipeline config/300-crds/300-clustertask.yaml"
    ).tekton_specs("ClusterTask", "spec"),
    *Definition("tekton.dev", "tektoncd/pipeline config/300-crds/300-stepaction.yaml").tekton_specs(
        "StepAction", "spec"
    ),
    *Definition("tekton.dev", f"{_TEKTON_TYPES}taskrun_types.go").tekton_specs("TaskRun", "spec"),
    *Definition("tekton.dev", f"{_TEKTON_TYPES}pipeline_types.go").tekton_specs("Pipeline", "spec"),
    *Definition("tekton.dev", f"{_TEKTON_TYPES}pipelinerun_types.go").tekton_specs(
        "PipelineRun", "spec"
    ),
    *Definition(
        "tekton.dev", "tektoncd/catalog pipeline/openwhisk/0.1/conditions/detect-runtimes.yaml"
    ).tekton_specs("Condition", "spec"),
    *Definition(
        "triggers.tekton.dev",
        "tektoncd/triggers pkg/apis/triggers/v1beta1/trigger_template_types.go",
    ).objects("TriggerTemplate", "spec.resourcetemplates[]"),
    *Definition(
        "triggers.tekton.dev", "tektoncd/triggers pkg/apis/triggers/v1beta1/trigger_types.go"
    ).objects("Trigger", "spec.template.spec.resourcetemplates[]"),
    *Definition(
        "triggers.tekton.dev",
        "tektoncd/triggers pkg/apis/triggers/v1beta1/event_listener_types.go",
    ).objects(
        "EventListener",
        "spec.triggers[].template.spec.resourcetemplates[]",
    ),
)

_scale_set = Definition(
    "actions.github.com",
    f"{_ARC}gha-runner-scale-set-controller/crds/actions.github.com_autoscalingrunnersets.yaml",
)
_RUNNER_CRDS = f"{_ARC}actions-runner-controller/crds"
_runner = Definition("actions.summerwind.dev", _RUNNER_CRDS)
_RUNNERS: tuple[ImageField, ...] = (
    *_scale_set.pod_templates("AutoscalingRunnerSet", "spec.template", "spec.listenerTemplate"),
    *_runner.references("Runner RunnerSet", "spec.image"),
    *_runner.containers(
        "Runner",
        "spec.containers[]",
        "spec.initContainers[]",
        "spec.sidecarContainers[]",
    ),
    *_runner.pod_templates("RunnerSet", "spec.template"),
    *_runner.references("RunnerDeployment RunnerReplicaSet", "spec.template.spec.image"),
    *_runner.containers(
        "RunnerDeployment RunnerReplicaSet",
        "spec.template.spec.containers[]",
        "spec.template.spec.initContainers[]",
        "spec.template.spec.sidecarContainers[]",
    ),
)

_jenkins = Definition(
    "jenkins.io", "jenkinsci/kubernetes-operator chart/jenkins-operator/crds/jenkins-crd.yaml"
)
_tofu = Definition(
    "infra.contrib.fluxcd.io", "flux-iac/tofu-controller charts/tofu-controller/crds/crds.yaml"
)
_k6 = Definition("k6.io", "grafana/k6-operator bundle.yaml")
_shipwright = Definition("shipwright.io", "shipwright-io/build deploy/crds")
_devfile = Definition(
    "workspace.devfile.io", "devfile/api crds/workspace.devfile.io_devworkspaces.v1beta1.yaml"
)
_devfile_template = Definition(
    "workspace.devfile.io",
    "devfile/api crds/workspace.devfile.io_devworkspacetemplates.v1beta1.yaml",
)
_renovate = Definition(
    "renovate-operator.mogenius.com",
    "mogenius/renovate-operator charts/renovate-operator/crd/"
    "renovate-operator.mogenius.com_renovatejobs.yaml",
)
_chaos = Definition(
    "chaos-mesh.org", "chaos-mesh/chaos-mesh config/crd/bases/chaos-mesh.org_workflows.yaml"
)
_BUILDS: tuple[ImageField, ...] = (
    *_renovate.references("RenovateJob", "spec.image"),
    *_chaos.containers("Workflow", "spec.templates[].task.container"),
    *_jenkins.containers("Jenkins", "spec.master.containers[]"),
    *_jenkins.references("Jenkins", "spec.seedJobAgentImage"),
    *_tofu.references("Terraform", "spec.runnerPodTemplate.spec.image"),
    *_tofu.containers("Terraform", "spec.runnerPodTemplate.spec.initContainers[]"),
    *_k6.references("TestRun", "spec.initializer.image", "spec.runner.image", "spec.starter.image"),
    *_k6.containers(
        "TestRun",
        "spec.initializer.initContainers[]",
        "spec.runner.initContainers[]",
        "spec.starter.initContainers[]",
    ),
    *_k6.references("PrivateLoadZone", "spec.image"),
    *_shipwright.containers("BuildStrategy ClusterBuildStrategy", "spec.steps[]"),
    *_devfile.containers("DevWorkspace", "spec.template.components[].container"),
    *_devfile_template.containers("DevWorkspaceTemplate", "spec.components[].container"),
)

_CROSSPLANE_NOTE = (
    "Crossplane tells packages apart by their repository: a dependency on the old name would"
    " install the package twice. An ImageConfig with rewriteImage moves the pull alone"
)
_PACKAGES: tuple[ImageField, ...] = (
    *(
        row
        for kind, plural in (
            ("Configuration", "configurations"),
            ("Function", "functions"),
            ("Provider", "providers"),
        )
        for row in Definition(
            "pkg.crossplane.io",
            f"crossplane/crossplane cluster/crds/pkg.crossplane.io_{plural}.yaml",
        ).of(FieldShape.REFERENCE, kind, "spec.package", note=_CROSSPLANE_NOTE, certain=False)
    ),
    *Definition(
        "pkg.crossplane.io",
        "crossplane/crossplane cluster/crds/pkg.crossplane.io_deploymentruntimeconfigs.yaml",
    ).pod_templates("DeploymentRuntimeConfig", "spec.deploymentTemplate.spec.template"),
    *Definition(
        "operators.coreos.com",
        "operator-framework/api crds/operators.coreos.com_catalogsources.yaml",
    ).references("CatalogSource", "spec.image"),
    *Definition(
        "operators.coreos.com",
        "operator-framework/api crds/operators.coreos.com_clusterserviceversions.yaml",
    ).pod_templates("ClusterServiceVersion", "spec.install.spec.deployments[].spec.template"),
    *Definition(
        "operators.coreos.com",
        "operator-framework/api crds/operators.coreos.com_clusterserviceversions.yaml",
    ).references("ClusterServiceVersion", "spec.relatedImages[].image"),
)

ROWS: tuple[ImageField, ...] = (
    *_ARGO_ROWS,
    *_ARGO_CD,
    *_TEKTON,
    *_RUNNERS,
    *_BUILDS,
    *_PACKAGES,
)
"""Rows of what builds and delivers."""
