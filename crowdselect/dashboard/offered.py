"""Which declared options the forms offer; the others are the command line's alone.

One home, because what is said on a page may name a control only where there is one.
"""

from __future__ import annotations

from crowdselect.benchmark import BenchmarkConfig, JudgeConfig
from crowdselect.export import ExportConfig
from crowdselect.filters import FILTERS
from crowdselect.finetune import FinetuneConfig
from crowdselect.ingest import SOURCES
from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.options import Option, options_named, options_of
from crowdselect.values import Recipe

RECIPE = {declared.name: declared for declared in options_of(Recipe)}
"""What a recipe declares, by name: the Select page has all of it."""
TUNED = options_named(
    FinetuneConfig, "epochs", "learning_rate", "batch_size", "max_length", "lora_rank", "seed"
)
METHOD, MODE, HELD_OUT = options_named(FinetuneConfig, "method", "mode", "eval_share")
(LIMIT,) = options_named(BenchmarkConfig, "limit")
KIND, VERDICT_TOKENS = options_named(JudgeConfig, "kind", "max_tokens")
(ANSWER_TOKENS,) = options_named(GenerateConfig, "max_new_tokens")
GRADE_TOKENS, DIMENSION = options_named(JudgingConfig, "max_tokens", "dimension")
(TEST,) = options_named(ExportConfig, "test")
NO_UPLOAD = "models"
"""An ingest's option that names another file: a path is nothing that visitors may give there."""


def of_source(source: str) -> tuple[Option, ...]:
    """The options of a format that *Add a crowd* offers."""
    return tuple(o for o in options_of(SOURCES[source]) if o.name != NO_UPLOAD)


def everything() -> tuple[Option, ...]:
    """Every option that some page has a control for; of equal flags the first counts."""
    ours = (*TUNED, METHOD, MODE, HELD_OUT, LIMIT, KIND, DIMENSION, TEST)
    sources = (o for source in SOURCES.names() for o in of_source(source))
    return (*RECIPE.values(), *FILTERS, *ours, *sources)
