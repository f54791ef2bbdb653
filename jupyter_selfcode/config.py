"""Settings as Jupyter users expect them: traits of one class, `SelfCode`.

Set by `%config SelfCode.model = "…"`, by `c.SelfCode.model = "…"` in `jupyter_selfcode_config.py` (any folder of
`jupyter --paths`, config) or `ipython_config.py`, or by an option of the command line. Notebook metadata may only tighten
them: a notebook that came by mail can ask for less, never for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Enum, Float, Int, List, TraitError, Unicode, validate
from traitlets.config import Config, Configurable
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from .values.errors import BadInput
from .values.policy import EFFECT_CLASSES, LADDER, STRICTNESS, Policy
from .values.request import LEVELS, Level

if TYPE_CHECKING:  # a session loads its settings at once, and the values when a command is used
    from importlib.metadata import EntryPoint

    from .protocols import Limits
    from .values.ledger import Rails
    from .values.request import Budget

CONFIG_NAME = "jupyter_selfcode_config"


class SelfCode(Configurable):
    """Settings of jupyter_selfcode."""

    model = Unicode(
        "", help="Model for the llm proposer, as litellm names it (openai/…, anthropic/…, ollama/…), or replay:FILE "
        "for recorded completions. Empty: rules only, nothing leaves this machine."
    ).tag(config=True)
    api_base = Unicode("", help="Address of an OpenAI-compatible endpoint, where it is not the provider's own.").tag(config=True)
    api_key_name = Unicode(
        "", help="NAME of the environment variable that holds the key (never the key). Empty: the provider's usual one."
    ).tag(config=True)
    proposers = List(Unicode(), ["rules", "llm"], help="Proposers that may be used; they go in order of price.").tag(config=True)
    policy = Enum(
        (*STRICTNESS, *LADDER), "propose", help="report (or observe): say what is wrong; suggest: propose where a person asks; "
        "propose (approve): wait for a person; deploy (auto): deploy what passed."
    ).tag(config=True)
    policy_by_effect = List(
        Unicode(), help="Stricter for changed code that does more than read: CLASS=POLICY, the class one of reads, writes, "
        "network, deletes (as in writes=propose, deletes=report)."
    ).tag(config=True)
    cheapest = Bool(
        False, help="The first candidate that passes with no question ends the trials of the others; nothing compares them."
    ).tag(config=True)
    min_level = Int(2, min=0, max=4, help="Level that a change must reach to be deployed unasked.").tag(config=True)
    budget_usd = Float(1.0, allow_none=True, min=0, help="US dollars per request; None: no limit.").tag(config=True)
    budget_tokens = Int(200_000, allow_none=True, min=0, help="Tokens per request; None: no limit.").tag(config=True)
    budget_attempts = Int(6, allow_none=True, min=0, help="Model calls per request; None: no limit.").tag(config=True)
    budget_seconds = Float(900.0, allow_none=True, min=0, help="Seconds per request; None: no limit.").tag(config=True)
    context_level = Enum(
        ("auto", *LEVELS), "auto", help="How much of the data a prompt may hold. schema: names, types and shapes; summary: also "
        "what exceptions say, the end of what was printed, counts and rounded limits of columns; samples: also at most five "
        "rows, columns about people masked; full: all text outputs. auto: full for a model on this machine (Ollama, an "
        "api_base on a loopback address; where that is a gateway to another machine, set summary), summary for any other."
    ).tag(config=True)
    masked_columns = List(
        Unicode(), help="Columns whose values are in no prompt, besides those whose names tell of people or secrets."
    ).tag(config=True)
    sandbox = Enum(
        ("auto", "A", "B", "M", "C"), "auto", help="Cage for trials. auto: the strongest that this machine gives, A "
        "(bubblewrap), B (Landlock) or M (macOS); where there is none nothing is tried. C: limits only, and every change is asked about."
    ).tag(config=True)
    sandbox_read = List(Unicode(), help="Files and folders outside of the notebook's that a trial may read.").tag(config=True)
    sandbox_write = List(
        Unicode(), help="Files and folders outside of the notebook's that a contained run may write."
    ).tag(config=True)
    sandbox_network = Bool(
        False, help="Allow trials and contained runs the network (tier A only)."
    ).tag(config=True)
    sandbox_as_root = Bool(
        False, help="Allow trials as root, in tier B, where root is the only user there is (some containers)."
    ).tag(config=True)
    record = Bool(
        True, help="Keep small calls of the notebook's functions, seen in trials and runs that went well, in its history: a repair is held to them."
    ).tag(config=True)
    forked = Enum(
        ("auto", "always", "never"), "auto", help="Whether candidates are tried in copies of a contained kernel that has run "
        "the cells above, where that serves (Linux, tiers A and B). auto: in a live session; a contained run is copied itself. "
        "What may be deployed unasked is tried in a clean kernel as well, or confirmed by the run that goes on with it."
    ).tag(config=True)
    copied_seconds = Float(
        5.0, allow_none=True, min=0, help="Seconds that the cells above must have taken in a live session for its variables to be copied into the "
        "cage in their place (where these can be told to be the same); what cannot run there, for the network, is copied too. None: never."
    ).tag(config=True)
    contain = Enum(
        ("auto", "always", "never"), "auto", help="Whether the kernel of a run is contained too. auto: where the policy "
        "is deploy and this machine gives a cage."
    ).tag(config=True)
    cell_seconds = Float(120.0, allow_none=True, min=0, help="Seconds that one cell of a trial may take.").tag(config=True)
    trial_seconds = Float(600.0, allow_none=True, min=0, help="Seconds that one trial may take.").tag(config=True)
    trial_memory_mb = Int(8192, allow_none=True, min=64, help="Memory of a trial kernel in MiB.").tag(config=True)
    warm_kernels = Int(
        1, min=0, help="Trial kernels that wait, started and with the notebook's imports done, for the next trial; each holds "
        "the memory of these imports. None waits while less than 2 GiB of memory are free. 0: each trial starts its own."
    ).tag(config=True)
    warm_seconds = Float(600.0, min=0, help="Seconds after which a waiting trial kernel is ended.").tag(config=True)
    mutant_seconds = Float(
        10.0, min=0, help="Seconds that may go, for each proposal with a contract, into small mistakes made in the new code, to see "
        "how many of them the contract catches. 0: none."
    ).tag(config=True)
    proof_seconds = Float(
        10.0, min=0, help="Seconds that a prover may take, for each proposal that changes functions whose parameters have plain types, "
        "to explore all of their paths (the extra proof; level 4). 0: none."
    ).tag(config=True)
    min_strength = Float(
        0.1, min=0, max=1, help="Share of these small mistakes, 0 to 1, that a contract must catch for what it covers to be "
        "deployed unasked, where at least two were counted; where nothing raised and only a promise was broken, half of at least two. "
        "0: the share is shown and decides nothing."
    ).tag(config=True)
    cool_down_seconds = Float(
        300.0, min=0, help="Seconds for which code is left alone after it was tried in vain, where nobody asks."
    ).tag(config=True)
    breaker = Int(
        3, min=0, help="Vain attempts in a row after which no model is asked unasked until the notebook runs well; 0: no limit."
    ).tag(config=True)
    probation_runs = Int(
        3, min=0, help="Runs that a new version has to go well in; a failure of what it made takes it back (policy deploy)."
    ).tag(config=True)
    store_url = Unicode(
        "", help="SQLAlchemy URL of the history. Empty: .selfcode/history.sqlite beside the notebook."
    ).tag(config=True)

    highest_level = Enum(LEVELS, "full")
    """The most that the notebook's own metadata allows; no setting, so that nothing but `tightened` sets it."""

    @validate("policy")
    def _one_name(self, proposal: Any) -> str:
        name: str = proposal["value"]
        return LADDER.get(name, name)

    @validate("policy_by_effect")
    def _known_classes(self, proposal: Any) -> list[str]:
        for rule in proposal["value"]:
            name, _, mode = rule.partition("=")
            if name not in EFFECT_CLASSES or LADDER.get(mode, mode) not in STRICTNESS:
                raise TraitError(f"{rule!r} is not CLASS=POLICY with a class of {', '.join(EFFECT_CLASSES)}.")
        return list(proposal["value"])

    @validate("api_key_name")
    def _a_name(self, proposal: Any) -> str:
        from .analysis.secrets import forms_in

        name: str = proposal["value"]
        if name and (not name.isidentifier() or forms_in(name)):
            raise TraitError(
                "api_key_name takes the NAME of the environment variable that holds the key, as in OPENAI_API_KEY; what was "
                "given is no such name. If it is the key itself, it is in your shell's history now: renew it."
            )
        return name

    def level(self) -> Level:
        """How much of the data a prompt may hold, with the model and the notebook's own wish in mind."""
        from .plugins.models.discover import on_this_machine

        asked = self.context_level
        if asked == "auto":
            asked = "full" if on_this_machine(self.model, self.api_base) else "summary"
        return LEVELS[min(LEVELS.index(asked), LEVELS.index(self.highest_level))]

    def budget(self) -> Budget:
        """The budget of one request."""
        from .values.request import Budget

        return Budget(self.budget_usd, self.budget_tokens, self.budget_attempts, self.budget_seconds)

    def decisions(self) -> Policy:
        """The policy."""
        rules = (rule.partition("=") for rule in self.policy_by_effect)
        by_class = tuple((name, LADDER.get(mode, mode)) for name, _, mode in rules)
        return Policy(self.policy, self.min_level, self.min_strength, by_class, self.cheapest)  # type: ignore[arg-type]

    def rails(self) -> Rails:
        """What holds back changes that nobody asked for."""
        from .values.ledger import Rails

        return Rails(self.cool_down_seconds, self.breaker, self.probation_runs)

    def limits(self) -> Limits:
        """Limits of one trial."""
        from .protocols import Limits

        memory = None if self.trial_memory_mb is None else self.trial_memory_mb * 2**20
        return Limits(self.cell_seconds, self.trial_seconds, memory)

    def tightened(self, metadata: Mapping[str, Any]) -> SelfCode:
        """These settings with what the notebook's metadata asks for, where that is stricter; the rest is ignored."""
        from .values.notebook import POINTER

        asked = metadata.get(POINTER)
        given = {name: getattr(self, name) for name in self.trait_names(config=True)}
        if isinstance(asked, Mapping):
            wished = asked.get("policy")
            if isinstance(wished, str) and LADDER.get(wished, wished) in STRICTNESS:
                given["policy"] = min(self.policy, LADDER.get(wished, wished), key=STRICTNESS.index)
            for name in ("budget_usd", "budget_tokens", "budget_attempts", "budget_seconds"):
                limit, wish = given[name], asked.get(name)
                if isinstance(wish, (int, float)) and not isinstance(wish, bool) and wish >= 0:
                    given[name] = type(limit or wish)(wish) if limit is None else type(limit)(min(limit, wish))
            if isinstance(asked.get("min_level"), int):
                given["min_level"] = min(4, max(self.min_level, asked["min_level"]))
            share = asked.get("min_strength")
            if isinstance(share, (int, float)) and not isinstance(share, bool):
                given["min_strength"] = min(1.0, max(self.min_strength, float(share)))
        made = SelfCode(**given)
        wish = asked.get("context_level") if isinstance(asked, Mapping) else None
        made.highest_level = min(self.highest_level, wish if wish in LEVELS else "full", key=LEVELS.index)
        return made


def load_config(*extra: Path) -> Config:
    """`jupyter_selfcode_config.py` and `.json` from Jupyter's config folders, the user's winning; then `extra` files.

    Raises `BadInput` naming the file where one of them cannot be read.
    """
    from jupyter_core.paths import jupyter_config_path

    config = Config()
    files = [Path(d) / f"{CONFIG_NAME}{e}" for d in reversed(jupyter_config_path()) for e in (".json", ".py")]
    for file in [*files, *extra]:
        loader = PyFileConfigLoader if file.suffix == ".py" else JSONFileConfigLoader
        try:
            config.merge(loader(file.name, path=str(file.parent)).load_config())
        except ConfigFileNotFound:
            if file in extra:
                raise BadInput(f"There is no config file {file}.") from None
        except Exception as e:  # a config file is a program: whatever it raises is one clear line
            raise BadInput(f"The config file {file} cannot be read: {type(e).__name__}: {e}") from e
    return config


def settings(config: Config | None = None, **overrides: Any) -> SelfCode:
    """Settings from config files, then `config`, then `overrides` (None: not given). Raises `BadInput`."""
    merged = load_config()
    if config is not None:
        merged.merge(config)
    try:
        made = SelfCode(config=merged)
        for name, value in overrides.items():
            if value is not None:
                setattr(made, name, value)
    except TraitError as e:
        raise BadInput(f"A setting cannot be used: {' '.join(str(e).split())}") from None
    return made


@cache
def _found(group: str) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {p.name: p for p in entry_points(group=f"jupyter_selfcode.{group}")}


def plugin(group: str, name: str) -> Any:
    """The plug-in of this name, loaded now. Raises `BadInput` listing what there is."""
    found = _found(group)
    if name not in found:
        raise BadInput(f"There is no {group.removesuffix('s')} named {name!r}; installed: {', '.join(sorted(found)) or 'none'}.")
    return found[name].load()


def plugins(group: str) -> tuple[str, ...]:
    """Names of the plug-ins of a kind, without loading them."""
    return tuple(sorted(_found(group)))
