"""The rules of a command that reads no tree."""

from pathlib import Path

from imageshift.cache import RuleSet
from imageshift.cli.options import RegistryOptions
from imageshift.config import Config
from imageshift.config_file import load_config
from imageshift.repo.workspace import find_root
from imageshift.run import find_config, load_targets

__all__ = ["open_rules"]


def open_rules(common: RegistryOptions) -> tuple[RuleSet, Config, Path]:
    """The rules, the configuration that holds here, and the folder that its paths start from.

    Raises:
        ConfigError: options or configuration can't be used.
    """
    options, root = common.registry_options(), find_root([])
    file = options.config or find_config(root=root)
    config = load_config(file, options.foreign(root))
    folder = Path.cwd() if file is None else file.parent
    return load_targets(config, options, folder)[0].rules, config, folder
