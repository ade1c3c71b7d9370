"""A checkpoint for other programs: adapters merged, in the form that transformers, CTranslate2 or Ollama load."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from safetensors import SafetensorError

from hftoolkit import hub
from hftoolkit.errors import ModelError, OutputError, UsageError
from hftoolkit.models.adapter_folders import adapter_base, is_adapter
from hftoolkit.models.decoders import stop_at
from hftoolkit.models.saved import END, Saved, write_saved
from hftoolkit.predicting import task_of
from hftoolkit.recipe.schema import Languages
from hftoolkit.reports.wording import memory
from hftoolkit.tasks import find_task
from hftoolkit.tasks.translation.decoder import instruction

if TYPE_CHECKING:
    from hftoolkit.models.loading import Loaded

AutoClass = Callable[[Any, str], str]

Form = Literal["merged", "ctranslate2", "ollama"]

_TEXTS: Final = (
    "Where is the library?",
    "The new password must be different from the old one.",
    "It has been raining since yesterday morning, and nobody knows when it will stop.",
)
"""What an exported model is tried on beside its source."""

_CLOSE: Final = {"float32": 1e-4, "float16": 0.02}
"""Largest difference of scores (logits) from the source that is rounding, as a share of the largest score."""

_TOKENIZER: Final = ("source.spm", "target.spm")


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path

    size: int
    """Bytes of all files."""

    checked: str
    """What it was compared with, and how close it came."""

    notes: tuple[str, ...]
    """What should be said about it."""

    def __str__(self) -> str:
        return f"{self.folder}  {memory(self.size)}, {self.checked}"


def export(model: str | PathLike[str], to: Form, *, output: str | PathLike[str] | None = None) -> Exported:
    """Write a checkpoint for other programs, and compare it with its source.

    ``merged`` is a folder of transformers, adapters added into the weights, in float32. ``ctranslate2`` is one of
    CTranslate2 with the names of SentencePiece's pieces as its vocabulary, in float32: CTranslate2 makes other number
    formats of it when it loads it. ``ollama`` has weights in float16 and a Modelfile beside them.

    Args:
        model: Folder of a run, hub id, ``package:NAME/FOLDER``, adapter folder, or ``demo``.
        to: The form.
        output: Where it goes, a folder that is not there or empty; left out: beside the model, its name and the form.

    Raises:
        UsageError: If there is no such form, or an output must be named.
        HubError: If the model cannot be fetched.
        ModelError: If it cannot be loaded, does not suit the form, or comes out different.
        OutputError: If something is in the way, or cannot be written.
    """
    if to not in get_args(Form):
        raise UsageError(f"unknown form '{to}'\n  known: {', '.join(get_args(Form))}")
    name = fspath(model)
    source = hub.resolve(name)
    # The options of a task change nothing about the class that it asks for.
    auto_class = find_task(task_of(name))({}, Languages(source="en", target="zh")).auto_class
    folder = _output(name, to, output)
    from hftoolkit.models.loading import load_checkpoint

    loaded = load_checkpoint(name, auto_class)
    with _whole(folder) as draft:
        match to:
            case "merged":
                checked = _merged(loaded, source, draft, "float32", auto_class)
            case "ctranslate2":
                checked = _for_ctranslate2(loaded, draft)
            case "ollama":
                checked = _for_ollama(loaded, source, draft, auto_class)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Exported(folder, size, checked, loaded.notes)


def _output(name: str, form: str, output: str | PathLike[str] | None) -> Path:
    if output is None:
        if not Path(name).is_dir():
            raise UsageError(f"where to? '{name}' is no folder beside which it could go\n  add:   --output FOLDER")
        output = f"{os.path.abspath(name)}-{form}"
    folder = Path(output).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: exists already\n  choose another folder:   --output FOLDER")
    return folder


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one, which takes its place when all is written."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.parent / f".{folder.name}-{os.getpid()}"
        draft.mkdir()  # with what the umask says, unlike those of tempfile
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}\n  choose another folder") from error
    try:
        yield draft
        if folder.is_dir():
            folder.rmdir()
        os.replace(draft, folder)
    except SafetensorError as error:
        raise OutputError(f"{folder}: cannot be written: {error}\n  free some space, or go elsewhere") from error
    except OSError as error:
        if error.errno is None:  # of transformers, about something else
            raise
        raise OutputError(
            f"{folder}: cannot be written: {error.strerror}\n  free some space, or go elsewhere"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _merged(loaded: "Loaded", source: Path, folder: Path, kind: str, auto_class: AutoClass) -> str:
    """Write model and tokenizer, and compare what they give with the source."""
    import torch

    from hftoolkit.models.loading import quiet

    model, tokenizer = loaded.model, loaded.tokenizer
    wanted = _scores(_source_of(loaded, source, auto_class), tokenizer)
    if kind == "float16":
        odd = [
            name for name, weight in model.state_dict().items() if weight.abs().max() > torch.finfo(torch.float16).max
        ]
        if odd:
            raise ModelError(f"{loaded.name}: float16 cannot hold '{odd[0]}'\n  export it in float32:   --to merged")
        model = model.half()
    if loaded.saved is not None and END in loaded.saved.state:
        stop_at(model, loaded.saved.state[END])  # generation settings are not saved beside an adapter
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if loaded.saved is not None:
            write_saved(loaded.saved, folder)
        for weights in folder.glob("*.safetensors"):  # written for their owner alone, whatever the umask says
            shutil.copymode(folder / "config.json", weights)
        again = type(model).from_pretrained(str(folder), dtype=torch.float32).eval()
    pairs = list(zip(wanted, _scores(again, tokenizer), strict=True))
    del again  # its files are mapped into memory, and could not be moved
    gc.collect()
    gaps = [float((one - other).abs().max() / one.abs().max()) for one, other in pairs]
    gap = max(gaps)
    if not all(one <= _CLOSE[kind] for one in gaps):  # NaN is no small difference either
        raise ModelError(
            f"{loaded.name}: exported, it gives other scores than its source, by up to {gap:.1%}\n"
            "  please report it; use the model as it is meanwhile"
        )
    return f"scores as its source's but for {gap:.1g} of the largest"


def _source_of(loaded: "Loaded", folder: Path, auto_class: AutoClass) -> Any:
    """What an exported model is compared with: the one in memory, or an adapter and its base, not merged."""
    if not is_adapter(folder):
        return loaded.model
    from hftoolkit.models.adapters import beside
    from hftoolkit.models.added_tokens import make_room
    from hftoolkit.models.heads import head_beside
    from hftoolkit.models.loading import load_checkpoint

    name, revision = adapter_base(folder)
    base = load_checkpoint(name, auto_class, revision=revision, head=head_beside(folder)).model
    make_room(base, loaded.tokenizer)
    return beside(base, folder)


def _scores(model: Any, tokenizer: Any) -> list[Any]:
    """What a model gives for some texts: all its scores, text by text."""
    import torch

    from hftoolkit.models.positions import positions

    model.eval()
    most = positions(model)
    found = []
    for text in _TEXTS:
        read = tokenizer(text, return_tensors="pt")
        inputs = {name: read[name][:, :most] for name in ("input_ids", "attention_mask")}
        if model.config.is_encoder_decoder:
            start = torch.tensor([[model.config.decoder_start_token_id]])
            inputs["decoder_input_ids"] = torch.cat([start, inputs["input_ids"][:, :-1]], 1)
        with torch.inference_mode():
            output = model(**inputs)
        parts = [
            output[name] for name in ("logits", "start_logits", "end_logits", "prediction_logits") if name in output
        ]
        found += [part.float() for part in parts]
    return found


def _for_ctranslate2(loaded: "Loaded", folder: Path) -> str:
    """Convert as CTranslate2's own converter does, and compare what is written greedily."""
    if loaded.model.config.model_type != "marian":
        raise ModelError(
            f"{loaded.name}: a '{loaded.model.config.model_type}' is not exported to CTranslate2, only Marian models "
            "are\n  export it as it is:   --to merged"
        )
    if not loaded.model.config.share_encoder_decoder_embeddings:
        raise ModelError(
            f"{loaded.name}: it has a vocabulary for each language, which CTranslate2's own form of Marian has not\n"
            "  export it as it is:   --to merged"
        )
    import sentencepiece
    from ctranslate2 import Translator
    from ctranslate2.converters import TransformersConverter

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.pytorch import TorchEngine
    from hftoolkit.engines.samples import sample
    from hftoolkit.models.loading import quiet
    from hftoolkit.models.marian_tokenizer import MarianTokenizer

    with tempfile.TemporaryDirectory(dir=folder.parent) as name, quiet():
        loaded.model.save_pretrained(name)
        loaded.tokenizer.save_pretrained(name)
        tokenizer = MarianTokenizer(Path(name))
        TransformersConverter(name, copy_files=[one for one in _TOKENIZER if (Path(name) / one).is_file()]).convert(
            str(folder), force=True
        )
    reader, writer = (sentencepiece.SentencePieceProcessor(model_file=str(folder / one)) for one in _TOKENIZER)
    most = loaded.model.config.max_position_embeddings
    drawn = sample(tokenizer, loaded.saved.target_token if loaded.saved else None)
    sources = [source for source in drawn if len(_pieces(reader, source)) <= most]
    decoding = Decoding(1)
    wanted = list(TorchEngine(loaded.model, loaded.tokenizer).generate(sources, decoding))
    translator = Translator(str(folder), compute_type="float32")
    pieces = [_pieces(reader, source) for source in sources]
    limits = [decoding.limit(len(row), most) for row in pieces]
    found = [
        writer.decode(translator.translate_batch([row], beam_size=1, max_decoding_length=limit - 1)[0].hypotheses[0])
        for row, limit in zip(pieces, limits, strict=True)
    ]
    same = sum(one == other for one, other in zip(found, wanted, strict=True))
    if len(sources) < 2 or same < len(sources) - 1:
        raise ModelError(
            f"{loaded.name}: converted, it writes what PyTorch writes for {same} of {len(sources)} sentences only\n"
            "  please report it; use the model as it is meanwhile"
        )
    return f"{same} of {len(sources)} sentences as PyTorch writes them"


def _pieces(reader: Any, source: str) -> list[str]:
    """A source as CTranslate2 is given it: a target token stands alone in front."""
    token, _, rest = source.partition(" ") if source.startswith(">>") else ("", "", source)
    return [*([token] if token else []), *reader.encode(rest, out_type=str), "</s>"]


def _for_ollama(loaded: "Loaded", source: Path, folder: Path, auto_class: AutoClass) -> str:
    """Write weights, tokenizer and Modelfile."""
    from hftoolkit.models.ollama import NAME, check_family, modelfile

    model, tokenizer, saved = loaded.model, loaded.tokenizer, loaded.saved
    check_family(type(model).__name__, loaded.name)
    before, behind = _around(tokenizer, saved)
    translates = saved is not None and saved.task == "translation"
    text = modelfile(
        tokenizer, model.generation_config, _ends(model, saved), before=before, behind=behind, greedy=translates
    )
    checked = _merged(loaded, source, folder, "float16", auto_class)
    (folder / NAME).write_text(text, encoding="utf-8")
    return checked


def _ends(model: Any, saved: Saved | None) -> list[int]:
    """Tokens that end what a model writes."""
    said = model.generation_config.eos_token_id
    ends = list(said) if isinstance(said, list) else [] if said is None else [said]
    own = saved.state.get(END) if saved is not None else None
    return ends if own is None or own in ends else [*ends, own]


def _around(tokenizer: Any, saved: Saved | None) -> tuple[str, str | None]:
    """What stands around a prompt, by what the model was tuned on; None behind it: it answers, in its chat template."""
    if saved is not None and saved.task == "translation" and saved.source_language and saved.target_language:
        if saved.target_token:
            return "", f" {saved.target_token}"
        return instruction(Languages(source=saved.source_language, target=saved.target_language)), None
    goes_on = tokenizer.chat_template is None or (saved is not None and saved.task == "language_modelling")
    return "", "" if goes_on else None
