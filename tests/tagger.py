"""A model that tags some words by heart, whatever stands beside them; made, not trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

TAGS: Final[Mapping[str, str]] = {
    "great": "B-ORG",
    "film": "I-ORG",
    "food": "B-LOC",
    "awful": "I-LOC",
    "story": "B-PER",
}
"""What it says of these words; of all others O."""

NAMES: Final = ["O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"]

SURE: Final = 4.0
"""How much higher the logit of what it says is than all others, which are 0."""


def write_tagger(
    bert: Path, folder: Path, *, names: Sequence[str] = NAMES, tags: Mapping[str, str] = TAGS, positions: int = 48
) -> Path:
    """Write it: without layers, its logits depend on a token alone.

    Args:
        bert: The tiny BERT whose tokenizer it has.
        folder: Where it goes.
        names: Its tags, in order; the first one is that of all other words.
        tags: What it says of some words.
        positions: Tokens of the longest text.
    """
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

    tokenizer = AutoTokenizer.from_pretrained(str(bert))
    tokenizer.model_max_length = positions
    config = BertConfig.from_pretrained(str(bert))
    config.num_hidden_layers = 0
    config.max_position_embeddings = positions
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    model = BertForTokenClassification(config).eval()
    ids = tokenizer.convert_tokens_to_ids(list(tags))
    wanted = torch.zeros(len(tags), len(names))
    for row, tag in zip(wanted, tags.values(), strict=True):
        row[0], row[names.index(tag)] = -SURE, SURE  # beside the bias
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        for place, number in enumerate(ids):
            model.bert.embeddings.word_embeddings.weight[number, place] = 1
        model.classifier.bias[0] = SURE
        hidden = model.bert(torch.tensor([ids])).last_hidden_state[0]
        model.classifier.weight.copy_((torch.linalg.pinv(hidden) @ wanted).T)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
