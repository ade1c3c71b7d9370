"""Checkpoints that write text by themselves: which those are, and how many tokens they can read."""

from typing import Any, Final

from hftoolkit.errors import ModelError

EXAMPLE: Final = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""A small model that answers, to be named where none was."""

_WRITERS: Final = ("ForCausalLM", "LMHeadModel", "Model")
"""Ends of the names of architectures with a head that writes, or with none: what is missing is told when it is read."""


def causal_class(config: Any, name: str) -> str:
    """The auto class for a decoder-only checkpoint.

    Raises:
        ModelError: If its architecture does not write, or reads with an encoder.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    said = (config.architectures or [""])[0]
    known = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if not known or config.is_encoder_decoder or (said and not said.endswith(_WRITERS)):
        raise ModelError(
            f"{name}: this checkpoint is a '{said or config.model_type}', which does not go on with a text\n"
            f"  choose a causal language model, such as {EXAMPLE}"
        )
    return "AutoModelForCausalLM"


def is_decoder(config: Any) -> bool:
    """Whether an architecture is made to write text by a decoder alone; BERT could, and is not."""
    from transformers.models.auto import modeling_auto

    written, filled = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return config.model_type in written and config.model_type not in filled and not config.is_encoder_decoder


def stop_at(model: Any, token: int) -> bool:
    """Let a token end what a model writes, beside those that do already.

    Returns:
        Whether it did not before.
    """
    said = model.generation_config.eos_token_id
    ends = list(said) if isinstance(said, list) else [] if said is None else [said]
    model.generation_config.eos_token_id = ends if token in ends else [*ends, token]
    return token not in ends


def reach(config: Any) -> int | None:
    """Tokens that a decoder can read and write together; None: any number, as those without positions do."""
    found = getattr(config.get_text_config(), "max_position_embeddings", None)
    return None if found is None else int(found)
