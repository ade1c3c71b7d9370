"""A model that guesses masked tokens differently in different texts, but was never trained."""

from pathlib import Path
from typing import Any


def write_guesser(bert: Path, folder: Path, *, paired: bool = False, saved: bool = True) -> Path:
    """Write it.

    Args:
        bert: The tiny BERT that it stands on.
        folder: Where it goes.
        paired: Give it a head for the next sentence too.
        saved: Write what a run of ours writes beside a model.

    Returns:
        The folder.
    """
    import torch
    from transformers import AutoTokenizer, BertForMaskedLM, BertForPreTraining

    from hftoolkit.models.saved import write_saved
    from hftoolkit.tasks.pretraining import Pretraining

    kind: Any = BertForPreTraining if paired else BertForMaskedLM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = kind.from_pretrained(str(bert))
        with torch.no_grad():
            for weight in model.bert.parameters():
                if weight.ndim == 2:
                    weight.normal_(std=0.5)
            model.cls.predictions.bias.normal_()
            if paired:
                model.cls.seq_relationship.weight.normal_(std=2.0)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(bert)).save_pretrained(folder)
    if saved:
        write_saved(Pretraining({"next_sentence": paired}, None).saved(), folder)
    return folder
