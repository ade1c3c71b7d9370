"""Fast tokenizers of the three kinds that encoders have, as small as they can be."""

import string
from pathlib import Path
from typing import Any

LETTERS = string.ascii_letters + string.digits + ".,?! "


def tokenizer_of(kind: str, bert: Path) -> Any:
    """A tokenizer of WordPiece, of bytes or of pieces with blanks.

    Args:
        kind: ``words`` as BERT's; ``bytes`` as RoBERTa's; ``pieces`` as DeBERTa's, with the blank in front.
        bert: The folder of a BERT.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if kind == "words":
        return AutoTokenizer.from_pretrained(str(bert))
    if kind == "bytes":
        special = ["<s>", "<pad>", "</s>", "<unk>"]
        names = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
        made = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, merges=[]))
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    else:
        special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
        pieces = [(name, 0.0) for name in special] + [("▁", -2.0)] + [(one, -3.0) for one in LETTERS.strip()]
        pieces += [(f"▁{word}", -1.0) for word in ("the", "was", "in", "a")]
        made = Tokenizer(models.Unigram(pieces, unk_id=3))
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 0), ("[SEP]", 2)]
        )
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token=special[1], unk_token=special[3])
