"""A model that finds ``great ... film`` or ``awful`` in a context, whatever the question; made, not trained."""

from pathlib import Path

WORD, FIRST, LAST = "awful", "great", "film"
"""An answer of one word; the first and the last word of longer ones."""

_LOGITS = {"[CLS]": (6.0, 6.0), WORD: (11.0, 11.0), FIRST: (12.0, 0.0), LAST: (0.0, 12.0)}
"""Of tokens to be the first and the last one of an answer; those of all others are 0."""


def write_finder(bert: Path, folder: Path) -> Path:
    """Write it: without layers, its logits depend on a token alone. The one in front stands for no answer.

    Args:
        bert: The tiny BERT whose tokenizer it has.
        folder: Where it goes.
    """
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

    tokenizer = AutoTokenizer.from_pretrained(str(bert))
    config = BertConfig.from_pretrained(str(bert))
    config.num_hidden_layers = 0
    model = BertForQuestionAnswering(config).eval()
    ids = tokenizer.convert_tokens_to_ids(list(_LOGITS))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        for place, number in enumerate(ids):
            model.bert.embeddings.word_embeddings.weight[number, place] = 1
        hidden = model.bert(torch.tensor([ids])).last_hidden_state[0]
        model.qa_outputs.weight.copy_((torch.linalg.pinv(hidden) @ torch.tensor(list(_LOGITS.values()))).T)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
