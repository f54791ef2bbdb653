"""Every setting as an option, made from the traits in one place, so that none is forgotten or told differently."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Enum, List, TraitError, TraitType

from ...config import SelfCode, load_config, settings

if TYPE_CHECKING:
    from traitlets.config import Config


def _reader(trait: TraitType[Any, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            if isinstance(trait, List):
                return [part.strip() for part in text.split(",") if part.strip()]
            return trait.from_string(text)
        except (TraitError, ValueError, TypeError):
            raise argparse.ArgumentTypeError(f"{text!r} cannot be used") from None

    return read


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Options of all settings, `--json`, `--config` and `--debug`."""
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--debug", action="store_true", help="the whole traceback of an unexpected error")
    group = parser.add_argument_group("settings", "as in jupyter_selfcode_config.py (c.SelfCode.model = …)")
    group.add_argument("--config", type=Path, metavar="FILE", help="one more config file, .py or .json")
    for name, trait in sorted(SelfCode.class_traits(config=True).items()):
        more: dict[str, Any] = {"metavar": type(trait).__name__.upper().replace("UNICODE", "TEXT")}
        if isinstance(trait, Enum):
            more = {"choices": tuple(trait.values or ())}
        elif isinstance(trait, List):
            more = {"metavar": "NAME,…"}
        default = trait.default_value if isinstance(trait.default_value, (str, int, float)) else None
        told = f" (default: {default})" if default not in (None, "") else ""
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"setting_{name}",
            type=_reader(trait),
            default=argparse.SUPPRESS,
            help=(trait.help + told).replace("%", "%%"),
            **more,
        )


def settings_of(args: argparse.Namespace) -> SelfCode:
    """The settings: config files, `--config`, then options. Raises `BadInput`."""
    config: Config = load_config(*([args.config] if args.config else []))
    for key, value in vars(args).items():
        if key.startswith("setting_"):
            config.SelfCode[key.removeprefix("setting_")] = value
    return settings(config)
