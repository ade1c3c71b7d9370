"""Weights of linear layers in 4 bits, by bitsandbytes: what that needs, and how transformers is asked for it.

Source:
    Dettmers et al., 2023, QLoRA, arXiv:2305.14314.
"""

from importlib.util import find_spec
from typing import Any

import torch

from hftoolkit.errors import UsageError
from hftoolkit.models.devices import choose_precision

_OTHERWISE = "  or train an adapter on float32 weights:   --set model.quantize=null"


def require_4bit() -> None:
    """Check that 4-bit weights can be had here.

    Raises:
        UsageError: If there is no GPU, or bitsandbytes is not installed.
    """
    if not torch.cuda.is_available():
        raise UsageError(f"model.quantize: 4-bit weights need a GPU, and there is none here\n{_OTHERWISE}")
    if find_spec("bitsandbytes") is None:
        raise UsageError(
            "model.quantize: bitsandbytes is not installed here\n"
            f"  install it:                               pip install 'hftoolkit[qlora]'\n{_OTHERWISE}"
        )


def loading_4bit() -> dict[str, Any]:
    """What ``from_pretrained`` is told besides, so that linear layers are kept in 4 bits.

    As in the paper: levels that suit normally distributed weights, their scales in 8 bits. The output layer and the
    embeddings stay as they are.

    Raises:
        UsageError: As `require_4bit`.
    """
    from transformers import BitsAndBytesConfig

    require_4bit()
    device = torch.device("cuda", torch.cuda.current_device())  # of this process
    fast = choose_precision("auto", device, adapter=True) == "bf16"
    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if fast else torch.float32,
        ),
        "device_map": {"": device},
    }


def in_4bit(model: Any) -> bool:
    """Whether a model's linear layers are kept in 4 bits; transformers says it of those alone."""
    return bool(getattr(model, "is_loaded_in_4bit", False))
