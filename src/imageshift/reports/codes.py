"""What each code of a finding, skip or warning means, and what to do about it.

The texts are those of docs/codes.md, which scripts/code_reference.py writes from this table, and
of the rules in SARIF.
"""

from msgspec import Struct

from imageshift.advice import Code
from imageshift.sites import SkipReason

__all__ = [
    "CODES",
    "DOUBTFUL",
    "NOT_CACHED",
    "PAGE",
    "RULE_CODES",
    "WRONG_PATH",
    "CodeText",
    "page_of",
]

NOT_CACHED = "not-cached"
WRONG_PATH = "wrong-cache-path"
DOUBTFUL = "doubtful"

PAGE = "https://github.com/imageshift/imageshift/blob/main/docs/codes.md"
"""Where the codes are explained; the name of a code is its anchor."""


class CodeText(Struct, frozen=True):
    """A code in words: a title, what it means, and what to do about it."""

    title: str
    means: str
    remedy: str


def page_of(code: str) -> str:
    """The address of a code's explanation."""
    return f"{PAGE}#{code}"


CODES: dict[str, CodeText] = {
    NOT_CACHED: CodeText(
        "An image doesn't come from the cache",
        "A rule covers the image, but the reference still names the upstream registry.",
        "Run `imageshift migrate`, or replace the reference with the one that the finding names.",
    ),
    WRONG_PATH: CodeText(
        "An image names a path that the cache doesn't have",
        "The reference names the cache's host, but no rule can ever fill this path, for example "
        "`docker-hub/nginx` without `library/`.",
        "Run `imageshift migrate`, or replace the reference with the one that the finding names.",
    ),
    DOUBTFUL: CodeText(
        "A value may be an image",
        "The value looks like an image, but imageshift isn't sure enough to rewrite it: its chart "
        "wasn't read, for example.",
        "Check the value. Enable chart rendering, or add its path under `images:` or `values:` in "
        "the configuration.",
    ),
    SkipReason.NO_RULE: CodeText(
        "No rule covers an image's upstream",
        "The image comes from a registry that no rule names.",
        "Add a rule with `--rule UPSTREAM=PREFIX` or in the configuration if ECR can cache the "
        "registry; otherwise leave the image, or copy it.",
    ),
    SkipReason.TEMPLATE: CodeText(
        "A template is skipped",
        "The file is a Helm chart's template, or the document contains `{{` outside quotes.",
        "Nothing to do if the chart takes its images from values.yaml; `--templates` rewrites "
        "literal "
        "images in templates.",
    ),
    SkipReason.UNPARSABLE: CodeText(
        "A text can't be parsed",
        "The text isn't valid YAML or JSON, is nested too deeply, or repeats more through its "
        "aliases than Kubernetes accepts.",
        "Correct the text at the place that the finding names, or exclude the file.",
    ),
    SkipReason.NOT_UTF8: CodeText(
        "A file isn't UTF-8",
        "The file isn't UTF-8 text; it may be UTF-16.",
        "Save the file as UTF-8, or exclude it.",
    ),
    SkipReason.SOPS: CodeText(
        "A file is encrypted with SOPS",
        "SOPS keeps a checksum over all values, which an edit would break.",
        "If it contains an image, decrypt the file, change it by hand, and encrypt it again.",
    ),
    SkipReason.GENERATED: CodeText(
        "A file is generated",
        "Flux's bootstrap wrote the file and would overwrite an edit.",
        "Set the registry where the file is generated: `flux bootstrap --registry`.",
    ),
    SkipReason.NOT_A_REFERENCE: CodeText(
        "A value isn't an image reference",
        "The value stands where an image belongs, but it isn't a valid reference, or isn't a "
        "string in YAML, such as `1.25` without quotes.",
        "Correct the value.",
    ),
    SkipReason.VARIABLE: CodeText(
        "An image's name contains a variable",
        "The registry or repository contains a variable whose value imageshift doesn't know.",
        "Change the value where the variable is set.",
    ),
    SkipReason.IGNORED: CodeText(
        "A comment, an entry or its kind excludes this place",
        "An `imageshift: ignore` comment or a `keep:` entry in the configuration says so, or the "
        "path is a link out of the root, a device or a pipe, which imageshift never reads.",
        "Remove the comment or the entry if the image should move.",
    ),
    SkipReason.STYLE: CodeText(
        "A value can't be edited in place",
        "An edit here would change more than the image, such as quotes, line breaks or "
        "neighbouring values.",
        "Write the value in a plain style, on one line, or change it by hand.",
    ),
    SkipReason.CONFLICT: CodeText(
        "Another place prevents a change",
        "A change here would break another place, or another place would undo it.",
        "Read the detail; `imageshift explain FILE:LINE` prints what builds the image.",
    ),
    SkipReason.PLACEHOLDER: CodeText(
        "A text is replaced later",
        "Something else replaces the text before a pod uses it: an injector, an image trigger, or "
        "an `images:` entry with `newName`.",
        "Nothing to do: the text that replaces it is reported separately.",
    ),
    SkipReason.IMMUTABLE: CodeText(
        "A Job can't be changed",
        "Kubernetes refuses to change an applied Job.",
        "Set `jobs: rewrite` in the configuration if the Job is deleted before each change, or "
        "annotate it so that Flux recreates it.",
    ),
    SkipReason.OWN_REPOSITORY: CodeText(
        "A repository of your own",
        "The image is in the target registry, but under no rule's prefix.",
        "Nothing to do if the repository exists.",
    ),
    SkipReason.OTHER_ECR: CodeText(
        "Another ECR registry",
        "The image comes from an ECR registry that isn't the target.",
        "Nothing to do, unless a rule should cover that registry: `--rule HOST=PREFIX`.",
    ),
    SkipReason.BAD_ACCOUNT: CodeText(
        "An account id that can't exist",
        "The reference names an ECR host whose account id doesn't have twelve digits.",
        "Correct the account id; `imageshift revert` restores the references.",
    ),
    SkipReason.CHANGED: CodeText(
        "A file changed during the run",
        "The file changed after imageshift had read it, so it wasn't written.",
        "Run the command again.",
    ),
    SkipReason.UNWRITABLE: CodeText(
        "A file can't be read or written",
        "Permissions, a full disk or a size limit prevent it.",
        "Read the detail, and correct the cause.",
    ),
    SkipReason.NOT_PULLED: CodeText(
        "A name that nothing pulls",
        "A policy, an `ImageRepository`, a label or the `name` of an `images:` entry compares "
        "names with this text; no node pulls it.",
        "Nothing to do, unless what it compares with has moved; a warning tells you then.",
    ),
    SkipReason.NOT_OURS: CodeText(
        "A text that isn't yours",
        "`not_ours:` in the configuration says that the text isn't yours, and why.",
        "Nothing to do as long as the reason holds.",
    ),
    SkipReason.OTHER_FORMAT: CodeText(
        "A file in another format names images",
        "The file is Terraform, a Dockerfile, a Compose or CI file, a script, or of a format that "
        "imageshift doesn't know. It is counted, and never rewritten.",
        "Move its images by hand if they should come from the cache, or name it under `not_ours:`.",
    ),
    SkipReason.UNCLAIMED: CodeText(
        "A text names an image, but nothing shows whether it is pulled",
        "It looks like an image, but no finder knows its place: no object names the file as "
        "values, and no table has the field.",
        "Add the line from the detail to the configuration: a pattern under `values:` or a row "
        "under `images:` says that it is an image, `not_ours:` that it isn't yours.",
    ),
    SkipReason.UNPROVEN: CodeText(
        "A change isn't proven",
        "An overlay gives a release this value, and with its new name a build would get another "
        "image than it has, or change a Job. With `--verify`, everything that rendering before "
        "and after doesn't prove stays too.",
        "Read the detail, or what `verify` says about the release or kustomization. Often an "
        "`images:` entry behind the chart already moves the image.",
    ),
    Code.ACCOUNT_ID: CodeText(
        "The account id can't exist",
        "The account id of the target doesn't have twelve digits, so nodes can't pull from it.",
        "Correct `--account`, or `account:` in the configuration.",
    ),
    Code.CHARTS_UNREAD: CodeText(
        "Some charts weren't read",
        "Some releases have charts that weren't rendered. Their values were read as text, and "
        "images that come only from the charts' defaults aren't in the report.",
        "Enable chart rendering (`--charts auto`, with Helm and access to the charts), or point "
        "`charts.sources` at copies of them; `chart-unavailable` gives the reason for each.",
    ),
    Code.CHART_UNAVAILABLE: CodeText(
        "A chart wasn't rendered",
        "A release's chart couldn't be found or rendered, so its values were read as text, and "
        "its default images are missing from the report.",
        "Read what the warning says about the chart. Without Helm, install it or the extra "
        "`imageshift[charts]`; for a chart that can't be fetched, name a copy under "
        "`charts.sources`.",
    ),
    Code.RULE_MISSING: CodeText(
        "A registry that ECR can cache has no rule",
        "ECR can cache this upstream, but no rule covers it.",
        "Create the rule in ECR, then add it with `--rule UPSTREAM=PREFIX` or in the "
        "configuration.",
    ),
    Code.DIGEST_NOT_CACHED: CodeText(
        "A pinned digest isn't in the cache",
        "The digest isn't in the target repository even after its tag was pulled.",
        "Pull the tag that has this digest, or pin the digest that the tag has today.",
    ),
    Code.LAMBDA: CodeText(
        "Lambda can't pull through the cache",
        "A Lambda function can only use an image that is already in the repository.",
        "Copy the image by hand, or pull it once.",
    ),
    Code.DIGEST_FIRST_PULL: CodeText(
        "An image is pinned by digest",
        "The first pull by digest through the cache reportedly fails.",
        "Pull each image once by its tag before the rollout: `imageshift warm --pull`.",
    ),
    Code.MUTABLE_TAG: CodeText(
        "A moving tag",
        "ECR checks upstream for a tag at most once every 24 hours, so a moving tag may lag "
        "behind.",
        "Pin a version.",
    ),
    Code.FIRST_PULL_ROUTE: CodeText(
        "The first pull may need a route to the internet",
        "The first pull of an image may need a route to the internet, even with PrivateLink.",
        "Pull each image once from a machine that has such a route: `imageshift warm --pull`.",
    ),
    Code.UNSUPPORTED_UPSTREAM: CodeText(
        "ECR can't cache a registry",
        "ECR has no pull-through cache for this registry.",
        "Leave the image, copy it into a repository of your own, or mirror its registry.",
    ),
    Code.UNKNOWN_OFFICIAL: CodeText(
        "A bare name that isn't a Docker Official Image",
        "The reference has neither registry nor organization, and Docker Hub has no official image "
        "of this name.",
        "Write the full name of the image if it is one of your own.",
    ),
    Code.TAG_FROZEN: CodeText(
        "An override pins a tag that came with the chart",
        "The chart has the whole reference in one value or field, so the override holds its tag "
        "or digest too, and the chart's next version no longer changes it.",
        "Update it together with the chart's version; on a machine that has seen the old version, "
        "`override-stale` finds what was forgotten.",
    ),
    Code.CHART_VERSION: CodeText(
        "A chart's files change, but its version doesn't",
        "Flux rebuilds a chart from Git only when the version in Chart.yaml changes, so the "
        "release keeps the old image until then.",
        "Bump the version in Chart.yaml, or set `reconcileStrategy: Revision` on the chart.",
    ),
    Code.POLICY_MATCHES_UPSTREAM: CodeText(
        "An admission policy matches the old name",
        "A policy matches names of the upstream registry, and won't match those of the cache.",
        "Keep the old pattern, and add the one that the warning names.",
    ),
    Code.POLICY_ADDS_IMAGES: CodeText(
        "A policy adds images to other objects",
        "An admission policy adds images to pods that it doesn't own, so nodes pull them wherever "
        "it matches.",
        "Apply the changed policy together with the other changes.",
    ),
    Code.AUTOMATION_REVERTS: CodeText(
        "Flux image automation writes the old name back",
        "The line has a `$imagepolicy` marker that sets the name, and its ImageRepository reads "
        "the upstream registry.",
        "Run `imageshift bots flux`; point the ImageRepository at the cache, or mark only the tag "
        "and digest.",
    ),
    Code.RENOVATE_ALIASES: CodeText(
        "Renovate doesn't know the cache",
        "Renovate's configuration has no alias for a path of the cache, so it asks ECR for tags "
        "and finds no updates.",
        "Run `imageshift bots renovate --write`, or add the aliases to a preset that it extends.",
    ),
    Code.UPDATER_REVERTS: CodeText(
        "Argo CD Image Updater writes the old name back",
        "An annotation or an ImageUpdater names an upstream image, which Image Updater then sets.",
        "Run `imageshift bots argocd-image-updater`, and name the cache instead.",
    ),
    Code.CONTROLLER_PULL: CodeText(
        "A controller reads the registry itself",
        "The controller of Knative, Tekton or Argo Workflows reads the image's manifest itself.",
        "Give the controller's role permission to pull from ECR.",
    ),
    Code.PRIVATE_UPSTREAM: CodeText(
        "A private image",
        "Pull secrets are set here, so the image may be private.",
        "Check that the credential of the cache rule can read the image.",
    ),
    Code.GENERATOR_UNKNOWN: CodeText(
        "A path in an ApplicationSet can't be resolved",
        "An ApplicationSet names a folder or values files through something that only Argo CD "
        "knows: "
        "clusters and their labels, pull requests, a provider's repositories, a plugin's result, "
        "or its own template functions.",
        "Name the clusters under `clusters:` in the configuration; check that the files that "
        "match the rest of the path are in the report, and add other values files under `values:`.",
    ),
    Code.OVERRIDE_STALE: CodeText(
        "An override names another image than the chart",
        "A value of a release names an image in the cache that comes from a different repository "
        "or registry than the chart's default.",
        "Run `imageshift migrate`, or `imageshift migrate --mend-stale` on a machine that knows "
        "no older version of the chart. If the image is intentional, mark it: `# imageshift: "
        "keep`.",
    ),
    Code.OVERRIDE_DEAD: CodeText(
        "An override does nothing",
        "Nothing reads the value, or the entry or patch matches nothing that the chart renders.",
        "Remove it: `imageshift migrate --prune`.",
    ),
    Code.PATH_PHANTOM: CodeText(
        "A path in your registry that no rule covers",
        "The image is in the target registry under no rule's prefix, while the chart would use an "
        "image of the same name.",
        "Correct the path, or add the rule that covers it.",
    ),
    Code.UPSTREAM_GONE: CodeText(
        "An upstream doesn't have the image",
        "Checked with `--upstream` or `--check-upstream`, the registry has no such tag, digest or "
        "repository, so the cache can't fetch it either.",
        "Find out where the image is published now, and use one that exists.",
    ),
    Code.UPSTREAM_RENAMED: CodeText(
        "An image has another name now",
        "The registry no longer has it under this name, but under the one that its publisher "
        "announced.",
        "Use the new repository, and check whether it is still maintained.",
    ),
    Code.UPSTREAM_DENIED: CodeText(
        "An upstream refuses the image",
        "The image can't be read with the login that is available: it is private, or it doesn't "
        "exist. Many registries give the same answer for both.",
        "Check that the image exists, and that the cache rule's secret can read it.",
    ),
    Code.PLATFORM_MISSING: CodeText(
        "An image isn't built for a platform",
        "The image exists, but not for a platform that `--platform` asks for: nodes of that kind "
        "can't run it.",
        "Use a version or an image that is built for it.",
    ),
    Code.TAG_MOVED: CodeText(
        "A tag and the digest beside it are different images",
        "The image is pinned by digest and exists, but its tag now names another image, or is "
        "gone. Warming the cache pulls tags, so it would fetch the other image.",
        "Pin the digest that the tag has now, or pull the pinned digest once by another tag.",
    ),
    Code.UPSTREAM_UNKNOWN: CodeText(
        "An upstream couldn't be asked for the image",
        "The registry doesn't answer, its rate limit is reached, or `--offline` allows no contact.",
        "Try again later, or from where the registry can be reached.",
    ),
}
"""Every code, in the order of the page."""

RULE_CODES: dict[str, CodeText] = {
    "missing": CodeText(
        "A rule doesn't exist",
        "A rule in force isn't in the account or the file.",
        "Create it: `imageshift infra` writes it. If the other side is right, use its rules: "
        "`--rules-from`.",
    ),
    "other-upstream": CodeText(
        "A prefix has another upstream",
        "The prefix of a rule in force exists, but caches another registry there.",
        "Use the other side's rules with `--rules-from`, or correct the rule.",
    ),
    "other-prefix": CodeText(
        "An upstream has another prefix",
        "The upstream of a rule in force is cached under another prefix there.",
        "Use the other side's rules with `--rules-from`, or correct the rule.",
    ),
    "extra": CodeText(
        "A rule that isn't in force",
        "The account or the file has a rule that the configuration doesn't have.",
        "Nothing to do, or add it to the configuration.",
    ),
    "unused": CodeText(
        "A rule that no image uses",
        "No image in the paths comes through this rule.",
        "Nothing to do, or remove the rule.",
    ),
    "uncovered": CodeText(
        "A registry that could be cached",
        "Images of a registry that ECR can cache are used, but no rule covers them.",
        "Add a rule with `--rule UPSTREAM=PREFIX` or in the configuration.",
    ),
    "credential-missing": CodeText(
        "A rule lacks credentials",
        "The upstream needs credentials, and the rule has none.",
        "Create a secret whose name begins with `ecr-pullthroughcache/`, and name it in the rule.",
    ),
    "credential-wrong": CodeText(
        "ECR can't use a rule's secret",
        "ECR doesn't accept the secret's name, account or Region.",
        "Name a secret `ecr-pullthroughcache/…` in the rule's own account and Region.",
    ),
    "role-missing": CodeText(
        "A rule for another account lacks a role",
        "ECR's service-linked role can't reach another account, and the rule names no other role.",
        "Give the rule a `customRoleArn`; `imageshift infra` writes one with its role.",
    ),
    "not-valid": CodeText(
        "ECR doesn't accept a rule",
        "ECR's own validation of the rule failed.",
        "Correct what ECR names, then validate again.",
    ),
    "immutable-tags": CodeText(
        "Tags are immutable",
        "Repositories of the rule have immutable tags, so a cached tag can't follow its upstream.",
        "Make the tags mutable in the creation template.",
    ),
    "role-denied": CodeText(
        "The nodes' role may not pull",
        "The role that `--role` names lacks an action that a cache needs.",
        "Attach the policy that `imageshift infra` writes.",
    ),
    "quota": CodeText(
        "Too many rules",
        "The registry can't hold all rules that are in force.",
        "Remove rules that are no longer used.",
    ),
}
"""The codes of `rules validate` and `rules import`, which refer to rules and not of images."""
