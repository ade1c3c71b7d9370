"""What an adapter's folder says about it; that peft writes it so is tested beside the adapters."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hftoolkit.errors import ModelError
from hftoolkit.models.adapter_folders import adapter_base, saved_modules


def write(folder: Path, **facts: object) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", **facts}), encoding="utf-8")


@pytest.mark.parametrize(("revision", "read"), [("v2", "v2"), (None, "main")])
def test_base_and_revision(tmp_path: Path, revision: str | None, read: str) -> None:
    write(tmp_path, base_model_name_or_path="acme/base", revision=revision)
    assert adapter_base(tmp_path) == ("acme/base", read)


@pytest.mark.parametrize("base", [None, "", "itself", 3])
def test_an_adapter_that_belongs_on_nothing(tmp_path: Path, base: object) -> None:
    named = str(tmp_path) if base == "itself" else base
    write(tmp_path, base_model_name_or_path=named)
    with pytest.raises(ModelError) as error:
        adapter_base(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'adapter_config.json'}: base_model_name_or_path: expected the model that this adapter belongs "
        f"on, got {named!r}\n  write its name or folder there"
    )


def test_adapters_that_belong_on_each_other(tmp_path: Path) -> None:
    for name, base in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / name).mkdir()
        write(tmp_path / name, base_model_name_or_path=str(tmp_path / base))
    with pytest.raises(ModelError) as error:
        adapter_base(tmp_path / "a")
    assert str(error.value) == (
        f"{tmp_path / 'a' / 'adapter_config.json'}: {str(tmp_path / 'b')!r} belongs on an adapter that belongs on this "
        "one\n  write the name or folder of a whole model there"
    )


@pytest.mark.parametrize("content", ["{", "[]", '{"modules_to_save": 3}'])
def test_a_damaged_adapter(tmp_path: Path, content: str) -> None:
    (tmp_path / "adapter_config.json").write_text(content, encoding="utf-8")
    for read in (adapter_base, saved_modules)[content.startswith('{"') :]:
        with pytest.raises(ModelError, match=r"adapter_config\.json: damaged\n  copy the adapter again$"):
            read(tmp_path)


@pytest.mark.parametrize(
    ("said", "read"), [({}, []), ({"modules_to_save": None}, []), ({"modules_to_save": ["a"]}, ["a"])]
)
def test_modules_that_lie_whole_beside_it(tmp_path: Path, said: dict[str, object], read: list[str]) -> None:
    write(tmp_path, **said)
    assert saved_modules(tmp_path) == read


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, hftoolkit.models.adapter_folders\nprint(*{name.split('.')[0] for name in sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert not {"torch", "peft", "transformers"} & set(out.split())
