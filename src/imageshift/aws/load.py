"""Rules from wherever they are: the account, Terraform, CloudFormation, ACK, saved answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imageshift.aws.client import AwsOptions
from imageshift.aws.cloudformation import is_cloudformation, read_cloudformation
from imageshift.aws.describe import describe_rules
from imageshift.aws.documents import read_documents
from imageshift.aws.folders import survey_folder
from imageshift.aws.found import Problem, RuleImport, merge_imports
from imageshift.aws.saved import SavedText, read_ack, read_saved
from imageshift.aws.sources import SourceFiles
from imageshift.aws.terraform import TerraformReader
from imageshift.aws.terraform_json import is_terraform_json, read_terraform_json
from imageshift.cache import Rule
from imageshift.errors import ConfigError, SourceError

__all__ = ["import_rules", "load_rules"]

# A registry takes 50 in each region.
_MOST = 1000
_SHOWN = 20
_KNOWN = (
    "aws, a Terraform folder or .tf file, `terraform show -json`, CloudFormation, ACK objects, "
    "`aws ecr describe-pull-through-cache-rules`, or HealthOmics registryMappings"
)


def load_rules(source: str | Path, options: AwsOptions | None = None) -> tuple[Rule, ...]:
    """The rules that a source holds: `aws` for the account, else a file or a folder.

    Raises:
        ConfigError: there is no such file, its format isn't known, it holds no rule, or a rule
            in it can't be used (all of them are named, as `path:line:col: text`).
        ToolError: AWS refused or can't be reached.
    """
    found = import_rules(source, options)
    if found.problems:
        first = found.problems[0]
        raise ConfigError(_listed(found.problems), hint=first.hint)
    if len(found.rules) > _MOST:
        raise ConfigError(f"{source}: {len(found.rules)} rules are more than {_MOST}")
    if not found.rules:
        raise ConfigError(f"{source}: no pull through cache rule in it", hint=f"known: {_KNOWN}")
    return tuple(one.rule for one in found.rules)


def _listed(problems: Sequence[Problem]) -> str:
    lines = [str(problem) for problem in problems[:_SHOWN]]
    rest = len(problems) - len(lines)
    return "\n".join([*lines, *([f"and {rest} more"] if rest else [])])


def import_rules(source: str | Path, options: AwsOptions | None = None) -> RuleImport:
    """As `load_rules`, with places, credentials and problems; it may be empty.

    Raises:
        ConfigError: there is no such file, or its format isn't known.
        ToolError: AWS refused or can't be reached.
    """
    if str(source) == "aws":
        return describe_rules(options or AwsOptions())
    path = Path(source)
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise ConfigError(f"{source}: there is no such file", hint=f"known: {_KNOWN}")
    found = _read_file(path, SourceFiles(path))
    if found is None:
        raise ConfigError(f"{source}:1:1: not a known source of rules", hint=f"one of {_KNOWN}")
    return found


def _read_folder(folder: Path) -> RuleImport:
    files = SourceFiles(folder)
    survey = survey_folder(folder, files)
    reader = TerraformReader(files)
    modules = [reader.read(module) for module in survey.modules()]
    documents = [_read_file(path, files) or RuleImport() for path in survey.documents]
    unread = [_problem(path, error) for path, error in survey.problems]
    return merge_imports([*modules, *documents, *unread])


def _read_file(path: Path, files: SourceFiles) -> RuleImport | None:
    if path.suffix == ".tf":
        return TerraformReader(files).read(path)
    try:
        text = files.text(path)
        is_json = path.suffix not in {".yaml", ".yml"} and text.lstrip().startswith(("{", "["))
        documents = read_documents(text, is_json=is_json)
    except SourceError as error:
        return _problem(path, error)
    saved = SavedText(str(path), text)
    found = [_read_document(document, saved) for document in documents]
    known = [one for one in found if one is not None]
    return merge_imports(known) if known else None


def _problem(path: Path, error: SourceError) -> RuleImport:
    place = f"{path}:{error.line or 1}:{error.column or 1}"
    return RuleImport((), (Problem(place, str(error), error.hint),))


def _read_document(document: Any, text: SavedText) -> RuleImport | None:
    if isinstance(document, list):
        document = {"pullThroughCacheRules": document}
    if not isinstance(document, Mapping):
        return None
    if is_terraform_json(document):
        return read_terraform_json(document, text.path)
    if is_cloudformation(document):
        return read_cloudformation(document, text.path)
    found = read_saved(document, text)
    return read_ack(document, text) if found is None else found
