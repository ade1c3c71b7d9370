"""Files are complete or not there; an interrupted writing is gone on with where it stopped."""

from pathlib import Path

import pytest

from hftoolkit.documents import unfinished
from hftoolkit.documents.unfinished import Unfinished
from hftoolkit.errors import OutputError

PIECES = [b"one\n", b"two\n", b"", b"four\n"]


class Interrupted(Exception):
    pass


def write(
    path: Path, *, until: int = len(PIECES), resume: bool = False, overwrite: bool = False, key: str = "k"
) -> int:
    """Write the pieces, and stop with an error before one of them; give the number of the first piece written."""
    with Unfinished([path, path.with_suffix(".jsonl")], key, resume=resume, overwrite=overwrite) as files:
        first = files.pieces
        for number in range(first, len(PIECES)):
            if number == until:
                raise Interrupted
            files.write([PIECES[number], b"{}\n" if number == 1 else b""])
    return first


def test_files_are_there_when_all_is_written(tmp_path: Path) -> None:
    write(tmp_path / "deep/out.txt")

    assert (tmp_path / "deep/out.txt").read_bytes() == b"".join(PIECES)
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["out.jsonl", "out.txt"]


@pytest.mark.parametrize("until", range(1, len(PIECES)))
def test_an_interrupted_writing_is_gone_on_with(tmp_path: Path, until: int) -> None:
    path = tmp_path / "out.txt"
    with pytest.raises(Interrupted):
        write(path, until=until)
    assert not path.exists()

    assert write(path, resume=True) == until

    assert path.read_bytes() == b"".join(PIECES)
    assert path.with_suffix(".jsonl").read_bytes() == b"{}\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_came_after_the_last_note_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "_EVERY", 0.0)
    path = tmp_path / "out.txt"
    with pytest.raises(Interrupted):
        write(path, until=2)
    with open(tmp_path / ".out.txt.unfinished", "ab") as file:
        file.write(b"half a pie")  # as a power failure leaves it

    assert write(path, resume=True) == 2
    assert path.read_bytes() == b"".join(PIECES)


def test_nothing_is_left_of_a_writing_that_did_not_begin(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        write(tmp_path / "out.txt", until=0)
    assert list(tmp_path.iterdir()) == []


def test_resuming_what_was_not_begun_begins_it(tmp_path: Path) -> None:
    assert write(tmp_path / "out.txt", resume=True) == 0


def test_an_interrupted_writing_is_not_lost_unasked(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with pytest.raises(Interrupted):
        write(path, until=3)

    with pytest.raises(OutputError) as caught:
        write(path)

    assert str(caught.value) == (
        f"{path}: was begun and interrupted after 3 pieces\n  go on:  --resume\n  begin anew:  --overwrite"
    )
    assert write(path, overwrite=True) == 0


def test_an_interrupted_writing_of_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with pytest.raises(Interrupted):
        write(path, until=3)

    with pytest.raises(OutputError) as caught:
        write(path, resume=True, key="another")

    assert str(caught.value) == (
        f"{path}: what was begun here was of another file, model or setting\n"
        "  give the same ones again, or begin anew:  --overwrite instead of --resume"
    )


def test_a_file_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(OutputError) as caught:
        write(path)
    assert str(caught.value) == f"{path}: exists already\n  choose another name, or replace it:  --overwrite"
    assert path.read_text(encoding="utf-8") == "mine"

    write(path, overwrite=True)
    assert path.read_bytes() == b"".join(PIECES)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_not_written_over(tmp_path: Path, overwrite: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".", str(tmp_path)):
        with pytest.raises(OutputError) as caught:
            Unfinished([Path(name)], "k", overwrite=overwrite)
        assert str(caught.value) == f"{name}: is a folder, expected the name of a file\n  choose another name"


def test_a_device_is_not_replaced() -> None:
    if not Path("/dev/null").is_char_device():
        pytest.skip("needs a device that is a file")
    with pytest.raises(OutputError) as caught:
        Unfinished([Path("/dev/null")], "k", overwrite=True)
    assert str(caught.value) == "/dev/null: is no regular file, expected the name of a file\n  choose another name"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file/out.txt"

    with pytest.raises(OutputError) as caught:
        write(path)

    assert str(caught.value).endswith("  make room, or choose another place for it")
    assert str(caught.value).startswith(f"{path}: cannot be written: ")
