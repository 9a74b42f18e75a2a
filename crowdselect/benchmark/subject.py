"""The model under test: a fine-tuning run, a folder, a hub id, or a served model."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import field_validator, model_validator

from crowdselect.errors import InputError
from crowdselect.lm.models import (
    Checkpoint,
    Loaded,
    LocalModel,
    usual_device,
    usual_dtype,
)
from crowdselect.options import Option
from crowdselect.origin import Origin, with_origin
from crowdselect.servers import check_address
from crowdselect.values import Frozen

CHOSEN_ON = Option(help="Benchmark on which the recipe behind this model was chosen; repeatable")


class SubjectConfig(Frozen):
    """What to test, as it is written into the run's config."""

    name: Annotated[
        str, Option(help="What results call it; runs of one name are seeds of one another")
    ]
    """How results call it; subjects of one name and variant are seeds of one another."""
    model: str
    """Folder or hub id of a full model; with ``adapter`` the base model."""
    adapter: Annotated[str | None, Option(help="Folder of a LoRA adapter on the model")] = None
    """Folder of a LoRA adapter."""
    endpoint: Annotated[
        str | None, Option(help="Base URL of an OpenAI-compatible server that serves the model")
    ] = None
    """Base URL of an OpenAI-compatible server that serves ``model``; answers come from there."""
    base: str | None = None
    """Folder or hub id of the model that ``model`` was tuned from, where ``model`` is all of it."""
    run: str | None = None
    """The fine-tuning run that made it."""
    training_seed: int | None = None
    """Seed of that run."""
    variant: str = ""
    """Hash of everything but the seed that made it; keeps different settings of one name apart."""
    origin: Origin | None = None
    """The selection that it was trained on, with its recipe."""
    chosen_on: Annotated[tuple[str, ...], CHOSEN_ON] = ()
    """Benchmarks on which that recipe was chosen, as declared: its scores there are too high."""
    trust_remote_code: bool = False

    @model_validator(mode="before")
    @classmethod
    def _older(cls, given: Any) -> Any:
        return with_origin(given)

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, endpoint: str | None) -> str | None:
        return check_address(endpoint or None)

    @property
    def selection(self) -> str | None:
        """Id of the selection that it was trained on."""
        return self.origin.selection if self.origin else None

    @property
    def identity(self) -> str:
        """What tells two trained models apart: the run, else the files or the served name."""
        return self.run or "|".join(filter(None, (self.model, self.adapter, self.endpoint)))

    @property
    def checkpoint(self) -> Checkpoint:
        """What has to be loaded, unless the model is served."""
        return Checkpoint(self.model, self.adapter, self.trust_remote_code)


class Subject:
    """A model under test that is loaded when it is first needed."""

    def __init__(self, config: SubjectConfig) -> None:
        self.config = config
        self._model = LocalModel(config.checkpoint)

    @property
    def model(self) -> LocalModel:
        """The model on this machine; raises InputError for a served one, whose weights are not."""
        if self.config.endpoint:
            raise InputError(
                f"{self.config.name} is served at {self.config.endpoint}; this benchmark needs its "
                "weights.",
                "Give a folder or hub id, or choose benchmarks that only need answers.",
            )
        return self._model

    @property
    def loaded(self) -> Loaded:
        """The model in memory; raises as :attr:`model` and ``load_causal``."""
        return self.model.loaded

    @property
    def computed(self) -> dict[str, str] | None:
        """Device and dtype that a model of this machine computes with: the same adapter answers
        otherwise in another. None for a served one, of which nothing is known.
        """
        if self.config.endpoint or find_spec("torch") is None:
            return None
        device = usual_device()
        return {"device": device, "dtype": usual_dtype(device)}

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model.is_loaded
