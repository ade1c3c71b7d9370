"""The engine that tags: what it keeps of a batch, what it could not read."""

from pathlib import Path
from types import SimpleNamespace

import torch
import transformers

from hftoolkit.engines.tagging import TaggingEngine, best_labels


def test_the_best_label_of_every_token_is_kept_and_nothing_of_the_padding() -> None:
    logits = torch.tensor([[[1.0, 3.0], [2.0, 0.0], [9.0, 9.0]], [[0.0, 0.0], [5.0, 1.0], [1.0, 5.0]]])
    (one, sure), (other, _) = best_labels(SimpleNamespace(logits=logits.bfloat16()), [2, 3])
    assert one.tolist() == [1, 0]
    assert other.tolist() == [0, 0, 1]
    assert torch.allclose(torch.from_numpy(sure), torch.tensor([0.8808, 0.8808]), atol=1e-4)


def test_words_that_could_not_be_read_are_told(bert: Path) -> None:
    model = transformers.AutoModelForTokenClassification.from_pretrained(str(bert))
    engine = TaggingEngine(model, None)
    assert engine.notes == ()
    engine.unread = 1
    assert engine.notes == ("1 word is nothing to the tokenizer, such as control characters, and got no tag",)
    engine.unread = 1234
    assert engine.notes == ("1,234 words are nothing to the tokenizer, such as control characters, and got no tags",)
