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


def modelfile(tokenizer: Any, generation: Any, ends: list[int], *, behind: str | None = None) -> str:
    """The text of a Modelfile beside the weights.

    Args:
        tokenizer: The model's.
        generation: Its generation configuration.
        ends: Numbers of the tokens that end what it writes.
        behind: What stands behind every prompt, for a model that goes on with texts; None: it answers, in its chat
            template.

    Raises:
        ModelError: If the chat template cannot be written as Ollama's.
    """
    lines = ["# ollama create NAME -f Modelfile", "FROM ."]
    if behind is not None:
        lines.append(f"TEMPLATE {_quoted('{{ .Prompt }}' + behind)}")
    else:
        turns = turns_of(tokenizer)
        template = f"{turns.asked[0]}{{{{ .Prompt }}}}{turns.asked[1]}{{{{ .Response }}}}{turns.ends}"
        if turns.system is not None:
            told = f"{turns.system[0]}{{{{ .System }}}}{turns.system[1]}"
            template = f"{{{{ if .System }}}}{told}{{{{ end }}}}{template}"
        lines.append(f"TEMPLATE {_quoted(template)}")
        if turns.default:
            lines.append(f"SYSTEM {_quoted(turns.default)}")
    for ours, theirs in _PARAMETERS.items():
        value = getattr(generation, ours, None)
        if value is not None and generation.do_sample:
            lines.append(f"PARAMETER {theirs} {value:g}")
    for end in ends:
        lines.append(f'PARAMETER stop "{tokenizer.convert_ids_to_tokens(end)}"')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if '"""' in text:
        raise ModelError(
            "this model's chat template has three quotation marks, which a Modelfile cannot hold\n"
            "  export it as it is:   --to merged"
        )
    return f'"""{text}"""'
