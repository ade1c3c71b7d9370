import pytest

from hftoolkit.training import progress
from hftoolkit.training.loop import Step
from hftoolkit.training.progress import watched


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests capture standard error; let it pass for a terminal."""
    monkeypatch.setattr(progress, "_somebody_watches", lambda: True)


def step(number: int, loss: float = 2.0, padding: float = 0.125) -> Step:
    return Step(
        number=number,
        epoch=0,
        last_of_epoch=False,
        loss=loss,
        learning_rate=1e-3,
        gradient_norm=1.0,
        tokens=1500,
        padding=padding,
        seconds=0.5,
    )


def test_steps_pass_through_as_they_are() -> None:
    steps = [step(1), step(2), step(3)]
    assert list(watched(steps, first=0, total=3, shown=False)) == steps


def test_the_bar_says_loss_speed_and_padding(capsys: pytest.CaptureFixture[str]) -> None:
    list(watched([step(1), step(2)], first=0, total=2, shown=True))
    out, err = capsys.readouterr()
    assert out == ""
    last = err.rsplit("\r", 1)[-1]
    assert "2/2" in last
    assert "loss 2.000, 3,000 tokens/s, padding 12%" in last


def test_the_loss_is_smoothed(capsys: pytest.CaptureFixture[str]) -> None:
    list(watched([step(1, 2.0), step(2, 4.0)], first=0, total=2, shown=True))
    assert "loss 2.100" in capsys.readouterr().err  # 0.95 x 2 + 0.05 x 4


def test_a_resumed_run_begins_where_it_stood(capsys: pytest.CaptureFixture[str]) -> None:
    list(watched([step(6)], first=5, total=10, shown=True))
    err = capsys.readouterr().err
    assert "5/10" in err.split("\r")[1]
    assert "6/10" in err.rsplit("\r", 1)[-1]


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    list(watched([step(1)], first=0, total=1, shown=False))
    assert capsys.readouterr() == ("", "")


def test_nothing_is_drawn_into_a_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_somebody_watches", lambda: False)
    list(watched([step(1)], first=0, total=1, shown=True))
    assert capsys.readouterr() == ("", "")


def test_a_bar_left_early_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    steps = watched([step(1), step(2)], first=0, total=2, shown=True)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert capsys.readouterr().err.endswith("\n")


def test_a_step_is_drawn_when_it_is_taken_not_before() -> None:
    taken = []

    def steps() -> "list[Step]":
        for number in (1, 2):
            taken.append(number)
            yield step(number)  # type: ignore[misc]

    stream = watched(steps(), first=0, total=2, shown=False)
    next(stream)
    assert taken == [1]
