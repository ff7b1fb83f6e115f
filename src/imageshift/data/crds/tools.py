"""Image fields of tests, functions, learning and workspaces."""

from imageshift.data.image_field import Definition, FieldShape, ImageField

__all__ = ["ROWS"]


ROWS: tuple[ImageField, ...] = (
    *Definition(
        "apps.gitlab.com",
        "datreeio/CRDs-catalog apps.gitlab.com/runner_v1beta2.json",
    ).references(
        "Runner",
        "spec.buildImage",
        "spec.helperImage",
        "spec.runnerImage",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NIMBuild",
        "spec.image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator bundle/manifests/apps.nvidia.com_nimcaches.yaml",
    ).image_maps(
        "NIMCache",
        "spec.initContainers[].image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NIMPipeline",
        "spec.services[].spec.expose.router.eppConfig.containerSpec.image",
        "spec.services[].spec.image",
        "spec.services[].spec.initContainers[].image",
        "spec.services[].spec.sidecarContainers[].image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator bundle/manifests/apps.nvidia.com_nimservices.yaml",
    ).image_maps(
        "NIMService",
        "spec.expose.router.eppConfig.containerSpec.image",
        "spec.image",
        "spec.initContainers[].image",
        "spec.sidecarContainers[].image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NemoCustomizer",
        "spec.expose.router.eppConfig.containerSpec.image",
        "spec.image",
        "spec.trainingConfig.image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).references(
        "NemoCustomizer",
        "spec.modelDownloadJobs.image",
        "spec.nemoDatastoreTools.image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NemoDatastore",
        "spec.expose.router.eppConfig.containerSpec.image",
        "spec.image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NemoEntitystore",
        "spec.expose.router.eppConfig.containerSpec.image",
        "spec.image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NemoEvaluator",
        "spec.expose.router.eppConfig.containerSpec.image",
        "spec.image",
    ),
    *Definition(
        "apps.nvidia.com",
        "NVIDIA/k8s-nim-operator config/crd/bases",
    ).image_maps(
        "NemoGuardrail",
        "spec.expose.router.eppConfig.containerSpec.image",
        "spec.image",
    ),
    *Definition(
        "apps.openliberty.io",
        "OpenLiberty/open-liberty-operator bundle/manifests",
    ).references(
        "OpenLibertyApplication",
        "spec.applicationImage",
    ),
    *Definition(
        "argoproj.io",
        "argoproj-labs/argocd-operator bundle/manifests/argoproj.io_argocds.yaml",
    ).references(
        "ArgoCD",
        "spec.argoCDAgent.agent.image",
        "spec.argoCDAgent.principal.image",
    ),
    *Definition(
        "awx.ansible.com",
        "datreeio/CRDs-catalog awx.ansible.com/awx_v1beta1.json",
    ).references(
        "AWX",
        "spec.control_plane_ee_image",
        "spec.ee_images[].image",
        "spec.image",
        "spec.init_container_image",
        "spec.init_projects_container_image",
        "spec.metrics_utility_image",
        "spec.postgres_image",
        "spec.redis_image",
    ),
    *Definition(
        "awx.ansible.com",
        "datreeio/CRDs-catalog awx.ansible.com/awxbackup_v1beta1.json",
    ).references(
        "AWXBackup",
        "spec.postgres_image",
    ),
    *Definition(
        "awx.ansible.com",
        "datreeio/CRDs-catalog awx.ansible.com/awxrestore_v1beta1.json",
    ).references(
        "AWXRestore",
        "spec.postgres_image",
    ),
    *Definition(
        "datasciencepipelinesapplications.opendatahub.io",
        "opendatahub-io/data-science-pipelines-operator config/crd/bases",
    ).references(
        "DataSciencePipelinesApplication",
        "spec.apiServer.argoDriverImage",
        "spec.apiServer.argoLauncherImage",
        "spec.apiServer.image",
        "spec.apiServer.managedPipelines.image",
        "spec.database.mariaDB.image",
        "spec.mlmd.envoy.image",
        "spec.mlmd.grpc.image",
        "spec.objectStorage.minio.image",
        "spec.persistenceAgent.image",
        "spec.scheduledWorkflow.image",
        "spec.workflowController.argoExecImage",
        "spec.workflowController.image",
    ),
    *Definition(
        "executor.testkube.io",
        "datreeio/CRDs-catalog executor.testkube.io/executor_v1.json",
    ).references(
        "Executor",
        "spec.image",
        "spec.slaves.image",
    ),
    *Definition(
        "fission.io",
        "fission/fission crds/v1/fission.io_environments.yaml",
    ).references(
        "Environment",
        "spec.builder.image",
        "spec.runtime.image",
    ),
    *Definition(
        "gateway-operator.konghq.com",
        "Kong/gateway-operator charts/kong-operator/charts/ko-crds/templates/ko-crds.yaml",
    ).of(
        FieldShape.REFERENCE,
        "KongPluginInstallation",
        "spec.image",
        note="Kong's operator fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "k6.io",
        "datreeio/CRDs-catalog k6.io/k6_v1alpha1.json",
    ).references(
        "K6",
        "spec.initializer.image",
        "spec.runner.image",
        "spec.starter.image",
    ),
    *Definition(
        "k6.io",
        "datreeio/CRDs-catalog k6.io/k6_v1alpha1.json",
    ).containers(
        "K6",
        "spec.initializer.initContainers[]",
        "spec.runner.initContainers[]",
        "spec.starter.initContainers[]",
    ),
    *Definition("core.k8sgpt.ai", "k8sgpt-ai/k8sgpt-operator config/crd/bases").of(
        FieldShape.NAME_WITHOUT_TAG, "K8sGPT", "spec.repository", version="spec.version"
    ),
    *Definition("image.openshift.io", "openshift/api image/v1/types.go").of(
        FieldShape.OPENSHIFT_SOURCE,
        "ImageStream",
        "spec.tags[].from",
        note="OpenShift's API server imports it, with credentials of its own",
        certain=False,
    ),
    *Definition(
        "kagent.dev",
        "kagent-dev/kagent go/api/config/crd/bases/kagent.dev_agents.yaml",
    ).containers(
        "Agent",
        "spec.byo.deployment.extraContainers[]",
        "spec.declarative.deployment.extraContainers[]",
    ),
    *Definition(
        "kagent.dev",
        "kagent-dev/kagent go/api/config/crd/bases/kagent.dev_agents.yaml",
    ).references(
        "Agent",
        "spec.byo.deployment.image",
    ),
    *Definition(
        "kagent.dev",
        "kagent-dev/kagent go/api/config/crd/bases",
    ).references(
        "AgentHarness",
        "spec.image",
        "spec.substrate.workloadImage",
    ),
    *Definition(
        "kagent.dev",
        "kagent-dev/kagent go/api/config/crd/bases",
    ).references(
        "Harness",
        "spec.workload.image",
    ),
    *Definition(
        "kagent.dev",
        "kagent-dev/kagent go/api/config/crd/bases",
    ).containers(
        "SandboxAgent",
        "spec.byo.deployment.extraContainers[]",
        "spec.declarative.deployment.extraContainers[]",
    ),
    *Definition(
        "kagent.dev",
        "kagent-dev/kagent go/api/config/crd/bases",
    ).references(
        "SandboxAgent",
        "spec.byo.deployment.image",
        "spec.byo.image",
    ),
    *Definition(
        "kappctrl.k14s.io",
        "carvel-dev/kapp-controller config/config/crds.yml",
    ).of(
        FieldShape.REFERENCE,
        "App",
        "spec.fetch[].image.url",
        "spec.fetch[].imgpkgBundle.image",
        note="kapp-controller fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "kpack.io",
        "buildpacks-community/kpack config/clusterbuildpack.yaml",
    ).of(
        FieldShape.REFERENCE,
        "ClusterBuildpack",
        "spec.image",
        note="kpack fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "kpack.io",
        "buildpacks-community/kpack config/clusterlifecycle.yaml",
    ).of(
        FieldShape.REFERENCE,
        "ClusterLifecycle",
        "spec.image",
        note="kpack fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "kpack.io",
        "buildpacks-community/kpack config/clusterstack.yaml",
    ).of(
        FieldShape.REFERENCE,
        "ClusterStack",
        "spec.buildImage.image",
        "spec.runImage.image",
        note="kpack fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "lifecycle.keptn.sh",
        "keptn/lifecycle-toolkit .github/scripts/.helm-tests/Openshift/result.yaml",
    ).references(
        "KeptnTaskDefinition",
        "spec.container.image",
    ),
    *Definition(
        "litmuschaos.io",
        "litmuschaos/litmus chaoscenter/graphql/server/manifests/cluster/2a_litmus_crds.yaml",
    ).references(
        "ChaosEngine",
        "spec.components.runner.image",
        "spec.components.sidecar[].image",
        "spec.experiments[].spec.components.experimentImage",
    ),
    *Definition(
        "llamastack.io",
        "llamastack/llama-stack-k8s-operator config/crd/bases",
    ).references(
        "LlamaStackDistribution",
        "spec.server.distribution.image",
    ),
    *Definition(
        "locust.io",
        "AbdelrhmanHamouda/locust-k8s-operator charts/locust-k8s-operator/templates/crd.yaml",
    ).references(
        "LocustTest",
        "spec.image",
    ),
    *Definition(
        "mlops.seldon.io",
        "SeldonIO/seldon-core k8s/helm-charts/seldon-core-v2-crds/templates/seldon-v2-crds.yaml",
    ).references(
        "Server",
        "spec.imageOverrides.agent.image",
    ),
    *Definition(
        "nuclio.io",
        "nuclio/nuclio hack/k8s/helm/nuclio/templates/crd/function.yaml",
    ).references(
        "NuclioFunction",
        "spec.image",
    ),
    *Definition(
        "org.eclipse.che",
        "eclipse-che/che-operator bundle/next/eclipse-che/manifests",
    ).references(
        "CheCluster",
        "spec.devEnvironments.gatewayContainer.image",
    ),
    *Definition(
        "packaging.carvel.dev",
        "carvel-dev/kapp-controller config/config/crds.yml",
    ).of(
        FieldShape.REFERENCE,
        "PackageRepository",
        "spec.fetch.image.url",
        "spec.fetch.imgpkgBundle.image",
        note="kapp-controller fetches it, not a node",
        certain=False,
    ),
    *Definition(
        "ray.io",
        "ray-project/kuberay helm-chart/kuberay-operator/crds/ray.io_raycronjobs.yaml",
    ).references(
        "RayCronJob",
        "spec.jobTemplate.rayClusterSpec.autoscalerOptions.image",
    ),
    *Definition(
        "temporal.io",
        "datreeio/CRDs-catalog temporal.io/temporalcluster_v1beta1.json",
    ).references(
        "TemporalCluster",
        "spec.admintools.image",
        "spec.ui.image",
    ),
    *Definition(
        "temporal.io",
        "datreeio/CRDs-catalog temporal.io/temporalworkerdeployment_v1alpha1.json",
    ).pod_templates(
        "TemporalWorkerDeployment",
        "spec.template",
    ),
    *Definition(
        "temporal.io",
        "datreeio/CRDs-catalog temporal.io/workerdeployment_v1alpha1.json",
    ).pod_templates(
        "WorkerDeployment",
        "spec.template",
    ),
    *Definition(
        "tests.testkube.io",
        "datreeio/CRDs-catalog tests.testkube.io/test_v3.json",
    ).references(
        "Test",
        "spec.executionRequest.image",
    ),
    *Definition(
        "testworkflows.testkube.io",
        "datreeio/CRDs-catalog testworkflows.testkube.io",
    ).references(
        "TestWorkflow TestWorkflowTemplate",
        "spec.after[].container.image",
        "spec.after[].execute.tests[].executionRequest.image",
        "spec.after[].parallel.execute.tests[].executionRequest.image",
        "spec.after[].parallel.run.image",
        "spec.after[].run.image",
        "spec.container.image",
        "spec.setup[].container.image",
        "spec.setup[].execute.tests[].executionRequest.image",
        "spec.setup[].parallel.execute.tests[].executionRequest.image",
        "spec.setup[].parallel.run.image",
        "spec.setup[].run.image",
        "spec.steps[].container.image",
        "spec.steps[].execute.tests[].executionRequest.image",
        "spec.steps[].parallel.execute.tests[].executionRequest.image",
        "spec.steps[].parallel.run.image",
        "spec.steps[].run.image",
    ),
    *Definition(
        "testworkflows.testkube.io",
        "datreeio/CRDs-catalog testworkflows.testkube.io",
    ).containers(
        "TestWorkflow TestWorkflowTemplate",
        "spec.after[].services.*",
        "spec.services.*",
        "spec.setup[].services.*",
        "spec.steps[].services.*",
    ),
    *Definition(
        "workspace.devfile.io",
        "devfile/api crds/workspace.devfile.io_devworkspaces.v1beta1.yaml",
    ).references(
        "DevWorkspace",
        "spec.contributions[].components[].container.image",
    ),
)
"""Rows of tools that teams work with."""
