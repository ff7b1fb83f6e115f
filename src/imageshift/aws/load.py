"""Rules from wherever they are: the account, Terraform, CloudFormation, ACK, saved answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imageshift.aws.client import AwsOptions
from imageshift.aws.cloudformation import is_cloudformation, read_cloudformation
from imageshift.aws.describe import describe_rules
from imageshift.aws.documents import read_documents
from imageshift.aws.folders import find_documents, find_modules
from imageshift.aws.found import Problem, RuleImport, merge_imports
from imageshift.aws.saved import read_ack, read_saved
from imageshift.aws.terraform import read_terraform
from imageshift.aws.terraform_json import is_terraform_json, read_terraform_json
from imageshift.cache import Rule
from imageshift.errors import ConfigError, SourceError

__all__ = ["import_rules", "load_rules"]

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
        raise ConfigError("\n".join(map(str, found.problems)), hint=first.hint)
    if not found.rules:
        raise ConfigError(f"{source}: no pull through cache rule in it", hint=f"known: {_KNOWN}")
    return tuple(one.rule for one in found.rules)


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
    found = _read_file(path)
    if found is None:
        raise ConfigError(
            f"{source}:1:1: no source of rules that is known", hint=f"one of {_KNOWN}"
        )
    return found


def _read_folder(folder: Path) -> RuleImport:
    modules = [read_terraform(module) for module in find_modules(folder)]
    documents = [_read_file(path) or RuleImport() for path in find_documents(folder)]
    return merge_imports([*modules, *documents])


def _read_file(path: Path) -> RuleImport | None:
    if path.suffix == ".tf":
        return read_terraform(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        is_json = path.suffix != ".yaml" and text.lstrip().startswith(("{", "["))
        documents = read_documents(text, is_json=is_json)
    except SourceError as error:
        return _problem(f"{path}:{error.line or 1}:{error.column or 1}", str(error))
    except UnicodeDecodeError:
        return _problem(f"{path}:1:1", "the file isn't UTF-8")
    except OSError as error:
        return _problem(f"{path}:1:1", f"the file can't be read: {error.strerror}")
    found = [_read_document(document, str(path), text) for document in documents]
    known = [one for one in found if one is not None]
    return merge_imports(known) if known else None


def _problem(place: str, message: str) -> RuleImport:
    return RuleImport((), (Problem(place, message),))


def _read_document(document: Any, path: str, text: str) -> RuleImport | None:
    if isinstance(document, list):
        document = {"pullThroughCacheRules": document}
    if not isinstance(document, Mapping):
        return None
    if is_terraform_json(document):
        return read_terraform_json(document, path)
    if is_cloudformation(document):
        return read_cloudformation(document, path)
    found = read_saved(document, path, text)
    return read_ack(document, path) if found is None else found
