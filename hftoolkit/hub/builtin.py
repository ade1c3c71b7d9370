"""The name of the built-in model -> its folder in the installed package."""

from pathlib import Path

from hftoolkit.errors import HubError

NAME = "demo"


def builtin_folder() -> Path:
    """The folder of the built-in model, an English-to-Chinese translator.

    Raises:
        HubError: If this installation has none.
    """
    folder = Path(__file__).parent.parent / "builtin" / NAME
    if not (folder / "config.json").is_file():
        raise HubError(
            f"'{NAME}': this installation has no built-in model: {folder} is missing or empty\n"
            "  install the package again, or choose another model:   --model Helsinki-NLP/opus-mt-en-zh"
        )
    return folder
