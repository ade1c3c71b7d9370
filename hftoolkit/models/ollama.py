"""What Ollama is told of a model: a Modelfile with template, system prompt, parameters and stops.

Source: the documentation of Ollama's Modelfile and of its templates, which are Go's.
"""

from typing import Any, Final

from hftoolkit.errors import ModelError
from hftoolkit.models.chat_turns import turns_of

FAMILIES: Final = {
    "LlamaForCausalLM": "Llama",
    "Qwen2ForCausalLM": "Qwen2",
    "GemmaForCausalLM": "Gemma",
    "Gemma2ForCausalLM": "Gemma",
    "Gemma3ForCausalLM": "Gemma",
}
"""Architectures whose safetensors Ollama imports, and that are known here."""

NAME: Final = "Modelfile"

_PARAMETERS: Final = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}
"""Ollama's names of parameters, by those of transformers."""


def check_family(architecture: str, name: str) -> None:
    """Refuse what Ollama could not import.

    Raises:
        ModelError: If this architecture is none of the families.
    """
    if architecture not in FAMILIES:
        known = ", ".join(dict.fromkeys(FAMILIES.values()))
        raise ModelError(
            f"{name}: a '{architecture}' cannot be exported to Ollama, which imports {known} models\n"
            "  export it for other programs:   --to merged"
        )


def modelfile(
    tokenizer: Any,
    generation: Any,
    ends: list[int],
    *,
    before: str = "",
    behind: str | None = None,
    greedy: bool = False,
) -> str:
    """The text of a Modelfile beside the weights.

    Args:
        tokenizer: The model's.
        generation: Its generation configuration.
        ends: Numbers of the tokens that end what it writes.
        before: What stands before every prompt.
        behind: What stands behind it, for a model that goes on with texts; None: it answers, in its chat template.
        greedy: Whether the likeliest text is wanted, whatever the configuration says.

    Raises:
        ModelError: If the chat template cannot be written as Ollama's.
    """
    lines = ["# ollama create NAME -f Modelfile", "FROM ."]
    if behind is not None:
        lines.append(f"TEMPLATE {_quoted(f'{before}{{{{ .Prompt }}}}{behind}')}")
    else:
        turns = turns_of(tokenizer)
        template = f"{turns.asked[0]}{before}{{{{ .Prompt }}}}{turns.asked[1]}{{{{ .Response }}}}{turns.ends}"
        if turns.system is not None:
            told = f"{turns.system[0]}{{{{ .System }}}}{turns.system[1]}"
            template = f"{{{{ if .System }}}}{told}{{{{ end }}}}{template}"
        lines.append(f"TEMPLATE {_quoted(template)}")
        if turns.default:
            lines.append(f"SYSTEM {_quoted(turns.default)}")
    if greedy:
        lines += ["PARAMETER temperature 0", "PARAMETER repeat_penalty 1"]
    for ours, theirs in () if greedy else _PARAMETERS.items():
        value = getattr(generation, ours, None)
        if value is not None and generation.do_sample:
            lines.append(f"PARAMETER {theirs} {value}")
    stops = [tokenizer.decode([end]) for end in ends if end < len(tokenizer)]
    lines += [f'PARAMETER stop "{stop}"' for stop in stops if stop and '"' not in stop and stop.strip()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if '"""' in text or text.endswith('"'):
        raise ModelError(
            "this model's chat template has quotation marks that a Modelfile cannot hold\n"
            "  export it as it is:   --to merged"
        )
    return f'"""{text}"""'
