"""Checkpoints of forms that `build_marian` does not write."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

EOS, UNK = 5, 6
"""In opus-mt-tc vocabularies the end token is anywhere but first."""


def two_vocabularies(folder: Path, sources: Iterable[str], targets: Iterable[str], tokens: Iterable[str]) -> None:
    """Write an untrained Marian checkpoint as opus-mt-tc has them: two vocabularies of characters, two tables.

    Args:
        folder: Where it goes.
        sources: Texts with the characters of the source.
        targets: The same of the target.
        tokens: Target tokens, which the source's vocabulary gets.
    """
    import torch
    from transformers import GenerationConfig, MarianConfig, MarianMTModel

    folder.mkdir(parents=True, exist_ok=True)
    pieces = [_characters(sources, folder / "source.spm"), _characters(targets, folder / "target.spm")]
    pieces[0] += tokens
    size = max(map(len, pieces)) + 1
    for name, own in zip(("vocab.json", "target_vocab.json"), pieces, strict=True):
        own[EOS:EOS] = ["</s>", "<unk>"]
        # The converter of transformers makes both as long as the longer one.
        own += [f"unused{number}" for number in range(size + 1 - len(own))]
        numbers = {piece: number for number, piece in enumerate([*own, "<pad>"])}
        (folder / name).write_text(json.dumps(numbers, ensure_ascii=False), encoding="utf-8")
    settings = {"tokenizer_class": "MarianTokenizer", "separate_vocabs": True, "model_max_length": 48}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    pad = len(numbers) - 1
    config = MarianConfig(
        vocab_size=pad + 1,
        decoder_vocab_size=pad + 1,
        share_encoder_decoder_embeddings=False,
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=48,
        dropout=0.0,
        activation_function="relu",
        scale_embedding=True,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        eos_token_id=EOS,
        forced_eos_token_id=EOS,
        bos_token_id=0,
    )
    torch.manual_seed(1)
    model = MarianMTModel(config)
    with torch.no_grad():
        for table in (model.model.encoder.embed_tokens.weight, model.model.decoder.embed_tokens.weight):
            table.normal_(std=32**-0.5)
            table[pad].zero_()
    model.generation_config = GenerationConfig(
        bad_words_ids=[[pad]],
        decoder_start_token_id=pad,
        eos_token_id=EOS,
        forced_eos_token_id=EOS,
        pad_token_id=pad,
        max_length=48,
        num_beams=4,
    )
    model.save_pretrained(folder)


BERT_WORDS = "good bad great awful film story food i we like hate it was is the a not very"
"""Words that the tiny BERT has in its vocabulary; all others are spelled."""


def tiny_bert(folder: Path, *, characters: str = "", positions: int = 48, seed: int = 1) -> None:
    """Write an untrained BERT encoder of 10,000 weights without a head, uncased, as MiniLM's folder is.

    Args:
        folder: Where it goes.
        characters: What it can spell besides letters, digits and common marks.
        positions: Tokens of the longest text.
        seed: Of its weights.
    """
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789" + characters
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *".,!?'-:;()/"]
    vocabulary += [*letters, *(f"##{letter}" for letter in letters), *BERT_WORDS.split()]
    vocabulary = list(dict.fromkeys(vocabulary))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": positions}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=positions,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)


def tiny_classifier(bert: Path, folder: Path, labels: int, problem: str | None) -> Path:
    """Write a classifier that answers differently for different texts, but was never trained.

    Args:
        bert: The encoder that `tiny_bert` wrote.
        folder: Where it goes.
        labels: Outputs; several are called ``label 0`` and so on.
        problem: What the configuration says that they are.

    Returns:
        The folder.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    config = AutoConfig.from_pretrained(str(bert), num_labels=labels, problem_type=problem)
    if labels > 1:
        config.id2label = {number: f"label {number}" for number in range(labels)}
        config.label2id = {name: number for number, name in config.id2label.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = AutoModelForSequenceClassification.from_pretrained(str(bert), config=config)
        with torch.no_grad():
            model.classifier.weight.normal_(std=2.0)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(bert)).save_pretrained(folder)
    return folder


def _characters(texts: Iterable[str], path: Path) -> list[str]:
    """Write a tokenizer of characters; return its pieces."""
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        model_type="char",
        vocab_size=200,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        bos_id=-1,
        eos_id=1,
        unk_id=0,
        minloglevel=2,
    )
    path.write_bytes(written.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    return [processor.id_to_piece(number) for number in range(2, processor.get_piece_size())]


CHATML = (
    "{{ bos_token }}{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The chat template of the tiny Llama, in the form that SmolLM2 and Qwen have."""

DECODER_WORDS = "The library is open. The teacher is in the canteen. I do not like the library. 图书馆在哪里？"
"""What the merges of the tiny decoders' tokenizer are made from; every other byte is a token of its own."""


def tiny_gpt2(folder: Path, *, positions: int = 96, seed: int = 1) -> None:
    """Write an untrained GPT-2 of 13,000 weights that writes other bytes for every prompt.

    As the real one's, its tokenizer adds nothing to a text, has one special token for begin and end, and none for
    padding or chats.

    Args:
        folder: Where it goes.
        positions: Tokens of the longest text.
        seed: Of its weights.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    end = "<|endoftext|>"
    tokens = _bytes(folder, [end], {"bos_token": end, "eos_token": end, "model_max_length": positions})
    config = GPT2Config(
        vocab_size=len(tokens),
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=positions,
        bos_token_id=tokens[end],
        eos_token_id=tokens[end],
    )
    _write_drawn(GPT2LMHeadModel, config, folder, seed)


def tiny_llama(folder: Path, *, positions: int = 96, seed: int = 1) -> None:
    """Write an untrained Llama of 9,000 weights that writes other bytes for every prompt.

    Its tokenizer begins every text with ``<s>``, as Llama's do, and knows chats in the form of `CHATML`, whose turns
    end with another token than texts; either ends what the model writes.

    Args:
        folder: Where it goes.
        positions: Tokens of the longest text.
        seed: Of its weights.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    special = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    settings = {"bos_token": "<s>", "eos_token": "</s>", "model_max_length": positions, "chat_template": CHATML}
    tokens = _bytes(folder, special, settings)
    config = LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        bos_token_id=tokens["<s>"],
        eos_token_id=[tokens["</s>"], tokens["<|im_end|>"]],
    )
    _write_drawn(LlamaForCausalLM, config, folder, seed)


def _bytes(folder: Path, special: list[str], settings: dict[str, Any]) -> dict[str, int]:
    """Write a tokenizer of bytes and a few merges; return its tokens. Texts begin with ``<s>``, if it is one."""
    from tokenizers import Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.processors import TemplateProcessing
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    size = len(special) + 256 + 30
    tokenizer.train_from_iterator(
        [DECODER_WORDS],
        BpeTrainer(
            vocab_size=size,
            special_tokens=special,
            initial_alphabet=ByteLevel.alphabet(),
            min_frequency=1,
            show_progress=False,
        ),
    )
    if "<s>" in special:
        number = special.index("<s>")
        tokenizer.post_processor = TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", number)]
        )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **settings).save_pretrained(folder)
    return tokenizer.get_vocab()


def _write_drawn(kind: Any, config: Any, folder: Path, seed: int) -> None:
    """Write a model whose weights differ so much that what follows on a text hangs on all of it."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind(config)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    weight.normal_(std=0.5)
    model.save_pretrained(folder)
