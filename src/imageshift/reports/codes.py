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
        "Run `imageshift migrate`, or replace the reference by the one that the finding names.",
    ),
    WRONG_PATH: CodeText(
        "An image names a path that the cache doesn't have",
        "The reference names the cache's host, but no pull through a rule can fill this path: for "
        "example `docker-hub/nginx` without `library/`.",
        "Run `imageshift migrate`, or replace the reference by the one that the finding names.",
    ),
    DOUBTFUL: CodeText(
        "A value may be an image",
        "The value looks like an image, but imageshift isn't sure enough to rewrite it: its chart "
        "wasn't read, for example.",
        "Look at the value. Let charts be rendered, or name its path under `images:` or `values:` "
        "in the configuration.",
    ),
    SkipReason.NO_RULE: CodeText(
        "No rule covers an image's upstream",
        "The image comes from a registry that no rule names.",
        "Add a rule with `--rule UPSTREAM=PREFIX` or in the configuration if ECR can cache the "
        "registry; otherwise leave the image, or copy it.",
    ),
    SkipReason.TEMPLATE: CodeText(
        "A template isn't looked into",
        "The file is a Helm chart's template, or the document holds `{{` outside quotes.",
        "Nothing, if the chart takes its images from values.yaml; `--templates` rewrites literal "
        "images in templates.",
    ),
    SkipReason.UNPARSABLE: CodeText(
        "A text can't be parsed",
        "The text isn't valid YAML or JSON, is nested too deeply, or its aliases repeat more than "
        "Kubernetes reads.",
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
        "If it holds an image, decrypt the file, change it by hand, and encrypt it again.",
    ),
    SkipReason.GENERATED: CodeText(
        "A file is generated",
        "Flux's bootstrap wrote the file and would write it again.",
        "Set the registry where the file is generated: `flux bootstrap --registry`.",
    ),
    SkipReason.NOT_A_REFERENCE: CodeText(
        "A value isn't an image reference",
        "The value stands where an image belongs, but it isn't a valid reference, or isn't text "
        "in YAML, such as `1.25` without quotes.",
        "Correct the value.",
    ),
    SkipReason.VARIABLE: CodeText(
        "A variable stands in an image's name",
        "The registry or repository holds a variable whose value imageshift doesn't know.",
        "Change the value where the variable is set.",
    ),
    SkipReason.IGNORED: CodeText(
        "A comment or its kind excludes this place",
        "An `imageshift: ignore` comment says so, or the path is a link out of the root, a device "
        "or a pipe, which is never read.",
        "Remove the comment if the image should move.",
    ),
    SkipReason.STYLE: CodeText(
        "A text can't be changed in its own style",
        "An edit here would change more than the image: its quotes, line breaks or neighbours.",
        "Write the value in a plain style, on one line, or change it by hand.",
    ),
    SkipReason.CONFLICT: CodeText(
        "Another place rules out a change",
        "A change here would break another place, or another place would undo it.",
        "Read the detail; `imageshift explain FILE:LINE` prints what builds the image.",
    ),
    SkipReason.PLACEHOLDER: CodeText(
        "A text is replaced later",
        "Something else replaces the text before a pod uses it: an injector, an image trigger, or "
        "an `images:` entry with `newName`.",
        "Nothing: the text that replaces it is a finding of its own.",
    ),
    SkipReason.IMMUTABLE: CodeText(
        "A Job can't be changed",
        "Kubernetes refuses to change an applied Job.",
        "Set `jobs: rewrite` in the configuration if the Job is deleted before each change, or "
        "annotate it so that Flux recreates it.",
    ),
    SkipReason.OWN_REPOSITORY: CodeText(
        "A repository of your own",
        "The image is on the target registry, below no rule's prefix.",
        "Nothing, if the repository exists.",
    ),
    SkipReason.OTHER_ECR: CodeText(
        "Another ECR registry",
        "The image comes from an ECR registry that isn't the target.",
        "Nothing, unless a rule should cover that registry: `--rule HOST=PREFIX`.",
    ),
    SkipReason.BAD_ACCOUNT: CodeText(
        "An account id that can't exist",
        "The reference names an ECR host whose account id doesn't have twelve digits.",
        "Correct the account id; `imageshift revert` brings the references back.",
    ),
    SkipReason.CHANGED: CodeText(
        "A file changed during the run",
        "The file changed after imageshift had read it, so it wasn't written.",
        "Run the command again.",
    ),
    SkipReason.UNWRITABLE: CodeText(
        "A file can't be read or written",
        "Permissions, a full disk or a limit of size stand in the way.",
        "Read the detail, and correct the cause.",
    ),
    SkipReason.NOT_PULLED: CodeText(
        "A name that nothing pulls",
        "A policy, an `ImageRepository`, a label or the `name` of an `images:` entry compares with "
        "this text; no node pulls by it.",
        "Nothing, unless what it compares with has moved: then a warning says so.",
    ),
    SkipReason.NOT_OURS: CodeText(
        "A text that the configuration disowns",
        "`not_ours:` says that the text isn't ours, and why.",
        "Nothing, as long as the reason holds.",
    ),
    SkipReason.OTHER_FORMAT: CodeText(
        "A file in another format names images",
        "The file is Terraform, a Dockerfile, a Compose or CI file, a script, or of a format that "
        "imageshift doesn't know. It is counted, and never rewritten.",
        "Move its images by hand if they should come from the cache, or name it under `not_ours:`.",
    ),
    SkipReason.UNCLAIMED: CodeText(
        "A text names an image, and nothing says whether it is pulled",
        "It looks like an image, but no finder knows its place: no object names the file as "
        "values, and no table has the field.",
        "Add the line of the detail to the configuration: a pattern under `values:` or a row under "
        "`images:` makes it an image, `not_ours:` says that it is none of yours.",
    ),
    SkipReason.UNPROVEN: CodeText(
        "A change isn't proven",
        "With `--verify` nothing is written that rendering before and after doesn't prove.",
        "Read what `verify` says of the release or kustomization; without `--verify` the change is "
        "made.",
    ),
    Code.ACCOUNT_ID: CodeText(
        "The account id can't exist",
        "The account id of the target doesn't have twelve digits, so nodes can't pull from it.",
        "Correct `--account`, or `account:` in the configuration.",
    ),
    Code.CHARTS_UNREAD: CodeText(
        "Charts that nobody read",
        "Some releases have charts that weren't rendered. Their values were read as text, and "
        "what only the charts' defaults name isn't in the report.",
        "Let charts be rendered (`--charts auto`, with Helm and a way to the charts), or name "
        "copies of them under `charts.sources`; `chart-unavailable` says what is in the way of "
        "each.",
    ),
    Code.CHART_UNAVAILABLE: CodeText(
        "A chart wasn't rendered",
        "A release's chart couldn't be found or rendered, so its values were read as text, and "
        "its default images weren't seen.",
        "Read what the warning says of the chart. Without Helm, install it or the extra "
        "`imageshift[charts]`; a chart that can't be fetched can be named under `charts.sources`.",
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
        "A Lambda function takes its image only from a repository that holds it already.",
        "Copy the image by hand, or pull it once.",
    ),
    Code.DIGEST_FIRST_PULL: CodeText(
        "An image is pinned by digest",
        "The first pull by digest through the cache is reported to fail.",
        "Pull each image once by its tag before the roll-out: `imageshift warm --pull`.",
    ),
    Code.MUTABLE_TAG: CodeText(
        "A moving tag",
        "ECR asks upstream for a tag once in 24 hours, so a moving tag may lag.",
        "Pin a version.",
    ),
    Code.FIRST_PULL_ROUTE: CodeText(
        "The first pull may need a route to the internet",
        "The first pull of an image may need a route to the internet, even with PrivateLink.",
        "Pull each image once from where such a route exists: `imageshift warm --pull`.",
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
        "Raise it together with the chart's version: `override-stale` finds it then, on a machine "
        "that has seen the old version.",
    ),
    Code.CHART_VERSION: CodeText(
        "A chart's files change, and its version doesn't",
        "Flux rebuilds a chart from Git only when the version in Chart.yaml changes, so the "
        "release keeps the old image until then.",
        "Raise the version in Chart.yaml, or set `reconcileStrategy: Revision` on the chart.",
    ),
    Code.POLICY_MATCHES_UPSTREAM: CodeText(
        "An admission policy matches the old name",
        "A policy matches names of the upstream registry, and won't match those of the cache.",
        "Add the pattern that the warning names beside the old one.",
    ),
    Code.POLICY_ADDS_IMAGES: CodeText(
        "A policy puts images into other objects",
        "An admission policy adds images to pods that it doesn't own, so nodes pull them wherever "
        "it matches.",
        "Let the change of the policy reach the cluster together with the other images.",
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
        "Knative, Tekton or Argo Workflows read the image's manifest from their controller.",
        "Give the controller's role permission to pull from ECR.",
    ),
    Code.PRIVATE_UPSTREAM: CodeText(
        "A private image",
        "Pull secrets are set here, so the image may be private.",
        "Check that the credential of the cache rule can read the image.",
    ),
    Code.GENERATOR_UNKNOWN: CodeText(
        "A path of an ApplicationSet isn't known",
        "An ApplicationSet names a folder or files of values by something that only Argo CD knows: "
        "clusters and their labels, pull requests, a provider's repositories, a plugin's answer, "
        "or its own template functions.",
        "Name the clusters under `clusters:` in the configuration; check that what the rest of the "
        "path fits is in the report, and add other files of values under `values:`.",
    ),
    Code.OVERRIDE_STALE: CodeText(
        "An override names another image than the chart",
        "A value of a release names an image on the cache that comes from another repository or "
        "registry than the one that the chart uses by default.",
        "Run `imageshift migrate`, with `--mend-stale` where this machine knows no older version; "
        "if the image is there on purpose, mark it: `# imageshift: keep`.",
    ),
    Code.OVERRIDE_DEAD: CodeText(
        "An override does nothing",
        "Nothing reads the value, or the entry or patch matches nothing that the chart renders.",
        "Take it out: `imageshift migrate --prune`.",
    ),
    Code.PATH_PHANTOM: CodeText(
        "A path on the own registry that no rule makes",
        "The image is on the target registry, below no rule's prefix and no repository that the "
        "configuration owns.",
        "Correct the path, or add the rule that makes it.",
    ),
    Code.UPSTREAM_GONE: CodeText(
        "An upstream doesn't have the image",
        "Asked with `--upstream` or `--check-upstream`, the registry has no such tag or digest, or "
        "no such repository: the cache can't bring it either.",
        "See where its makers publish it now, and name an image that is there.",
    ),
    Code.UPSTREAM_RENAMED: CodeText(
        "An image has another name now",
        "The registry doesn't have it under this name any more, but under the one that its makers "
        "have announced.",
        "Name the new repository, and see whether it is still maintained.",
    ),
    Code.UPSTREAM_DENIED: CodeText(
        "An upstream refuses the image",
        "The image can't be read with the login that is available: it is private, or it isn't "
        "there. Many registries give both the same answer.",
        "See that the image is there, and that the secret of the cache's rule may read it.",
    ),
    Code.PLATFORM_MISSING: CodeText(
        "An image isn't made for a platform",
        "The image is there, but not for a platform that `--platform` asks for: nodes of that kind "
        "can't run it.",
        "Name a version or an image that is made for it.",
    ),
    Code.TAG_MOVED: CodeText(
        "A tag and the digest beside it are different images",
        "The image is pinned by digest and is there, but its tag names another image now, or is "
        "gone. The tag pulls that fill the cache before the roll-out bring the other one.",
        "Pin the digest that the tag has now, or pull the pinned digest once by another tag.",
    ),
    Code.UPSTREAM_UNKNOWN: CodeText(
        "An upstream couldn't be asked for the image",
        "The registry doesn't answer, refuses to be asked so often, or nothing may be contacted.",
        "Ask again later, or where the registry can be reached.",
    ),
}
"""Every code, in the order of the page."""

RULE_CODES: dict[str, CodeText] = {
    "missing": CodeText(
        "A rule doesn't exist",
        "A rule in force isn't among those of the account or the file.",
        "Create it: `imageshift infra` writes it. If the other side is right, take its rules: "
        "`--rules-from`.",
    ),
    "other-upstream": CodeText(
        "A prefix has another upstream",
        "The prefix of a rule in force exists, but caches another registry there.",
        "Take the other side's rules with `--rules-from`, or correct the rule.",
    ),
    "other-prefix": CodeText(
        "An upstream has another prefix",
        "The upstream of a rule in force is cached under another prefix there.",
        "Take the other side's rules with `--rules-from`, or correct the rule.",
    ),
    "extra": CodeText(
        "A rule that isn't in force",
        "The account or the file has a rule that the configuration doesn't have.",
        "Nothing, or add it to the configuration.",
    ),
    "unused": CodeText(
        "A rule that no image uses",
        "No image of the paths comes through this rule.",
        "Nothing, or remove the rule.",
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
        "The secret's name, account or Region isn't one that ECR takes.",
        "Name a secret `ecr-pullthroughcache/…` in the rule's own account and Region.",
    ),
    "role-missing": CodeText(
        "A rule for another account lacks a role",
        "ECR's service-linked role can't leave its account, and the rule names no other role.",
        "Give the rule a `customRoleArn`; `imageshift infra` writes one with its role.",
    ),
    "not-valid": CodeText(
        "ECR doesn't accept a rule",
        "ECR's own validation of the rule failed.",
        "Correct what ECR names, then validate again.",
    ),
    "immutable-tags": CodeText(
        "Tags can't move",
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
        "The registry can't take all rules that are in force.",
        "Remove rules that are no longer used.",
    ),
}
"""The codes of `rules validate` and `rules import`, which speak of rules and not of images."""
