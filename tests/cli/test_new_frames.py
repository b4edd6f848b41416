"""Frames of somebody's own by one command: from a codebook and a few labels, or from definitions alone."""

from __future__ import annotations

import csv
import json
import resource
from pathlib import Path

import pytest
from tests.cli.conftest import Command

from discourse.models.bundle import load_bundle

CODEBOOK = """
name = "night-trains"
version = 1
unit = "One comment, read as its author meant it."

[[frames]]
name = "nostalgia"
title = "Nostalgia for how it was"
definition = "The author says that something used to be better, with longing for that time."
yes = ["Praise of the past against the present."]
no = ["A date or a memory without judgement."]
examples = [
  { text = "Back then the conductor knew your name, today you talk to a machine.", label = true, why = "praise" },
  { text = "The line opened in 1926.", label = false, why = "a fact" },
]

[[frames]]
name = "complaint_about_price"
title = "Too expensive"
definition = "The author complains that something costs too much."
yes = ["A price called too high."]
no = ["A price named without judgement."]
"""
YES = [
    "It was so much nicer when every village had its own post office.",
    "When I was young trains still ran on time and people said hello.",
    "The old market had soul, the new one is glass and nothing.",
    "They do not make bread like they used to.",
]
NO = [
    "The new tram stops at the hospital.",
    "Tickets cost two euros since May.",
    "Does the bus run on Sundays?",
    "You can pay by card on board.",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A codebook and a CSV of eight labelled comments, four of them yes."""
    (tmp_path / "book.toml").write_text(CODEBOOK, encoding="utf-8")
    write(tmp_path / "eight.csv", ["text", "nostalgia"], [[text, 1] for text in YES] + [[text, 0] for text in NO])
    return tmp_path


def write(file: Path, header: list[str], rows: list[list[object]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header, *rows])
    return file


def train(folder: Path, *more: object) -> list[object]:
    return ["bundle", "train", "--codebook", folder / "book.toml", "--frame", "nostalgia", "-o", folder / "b", *more]


def test_eight_labels_make_a_bundle_that_finds_more_of_the_same(folder: Path, discourse: Command) -> None:
    said = discourse(*train(folder, "--data", folder / "eight.csv", "--json"))
    assert said.code == 0, said.err
    bundle = load_bundle(folder / "b", "frames")
    assert said.json["sha256"] == bundle.sha256
    assert "4 yes are too few for a threshold" in said.err
    assert bundle.manifest.labels == ("nostalgia",)
    assert bundle.manifest.validated
    assert bundle.heldout().filter(path="exact").height == 8
    assert "share threads and sources" in bundle.metrics()["judged_by"]
    assert bundle.metrics()["dropped"] == {}
    assert discourse("bundle", "verify", folder / "b", "--codebook", folder / "book.toml").code == 0
    new = [
        ["I miss the days when you could just walk in and talk to the mayor.", 1],
        ["They close the road in June.", 0],
    ]
    write(folder / "new.csv", ["text", "nostalgia"], new)
    figures = discourse("bundle", "evaluate", folder / "b", folder / "new.csv", "--json").json
    assert figures["by_label"]["nostalgia"]["average_precision"] == 1


def test_what_is_left_out_is_counted_named_and_on_the_card(folder: Path, discourse: Command) -> None:
    rows = [[text, "yes"] for text in YES] + [[text, "no"] for text in NO]
    rows += [["", "yes"], ["Only half is labelled.", ""], [YES[0], "no"], ["word " * 100_000, "no"]]
    write(folder / "messy.csv", ["text", "nostalgia"], rows)
    said = discourse(*train(folder, "--data", folder / "messy.csv"))
    assert said.code == 0, said.err
    bundle = load_bundle(folder / "b")
    assert bundle.metrics()["dropped"] == {"empty": 1, "unlabelled": 1, "contradictory": 2, "cut": 1}
    assert "row 9 without text" in said.err
    assert "2 rows (1, 11) left out, since as many rows say one as the other" in said.err
    assert "1 texts were cut" in bundle.card()
    assert "labelled one way as often as another" in bundle.card()


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (["text", "nostalgia"], [[text, 1] for text in YES], "only one class in 4"),
        (["text", "nostalgia"], [[YES[0], 1], *[[text, 0] for text in NO]], "a single yes"),
        (["text", "nostalgie"], [[YES[0], 1], [NO[0], 0]], 'did you mean "nostalgie"'),
        (["body", "nostalgia"], [[YES[0], 1], [NO[0], 0]], 'lacks the column "text"'),
        (["text", "nostalgia"], [[YES[0], 1], [NO[0], "perhaps"]], 'row 2: nostalgia is "perhaps"'),
        (["text", "nostalgia"], [], "no rows"),
        (["text", "nostalgia"], [["", 1], [" ", 0]], "only one class in 0"),
    ],
    ids=["one class", "one yes", "misspelt", "no text", "no label", "no rows", "no texts"],
)
def test_labels_that_teach_nothing_are_told_in_one_sentence(
    header: list[str], rows: list[list[object]], said: str, folder: Path, discourse: Command
) -> None:
    write(folder / "bad.csv", header, rows)
    before = sorted(folder.iterdir())
    answer = discourse(*train(folder, "--data", folder / "bad.csv"))
    assert answer.code == 1
    assert said in answer.error
    assert sorted(folder.iterdir()) == before


def test_a_frame_that_is_not_in_the_codebook_is_asked_for(folder: Path, discourse: Command) -> None:
    said = discourse(*train(folder, "--data", folder / "eight.csv", "--frame", "nostalgy"))
    assert said.code == 2
    assert 'did you mean "nostalgia"' in said.error


def test_ways_to_train_are_not_mixed(folder: Path, discourse: Command) -> None:
    for more in (["--zero-shot", folder / "book.toml"], [folder / "recipe.toml"]):
        assert discourse(*train(folder, "--data", folder / "eight.csv", *more)).code == 2
    assert discourse("bundle", "train", "--codebook", folder / "book.toml", "-o", folder / "b").code == 2
    assert not (folder / "b").exists()


def test_definitions_alone_make_a_bundle_that_says_so_wherever_it_tags(folder: Path, discourse: Command) -> None:
    said = discourse("bundle", "train", "--zero-shot", folder / "book.toml", "-o", folder / "zero")
    assert said.code == 0
    assert "not validated" in said.err
    bundle = load_bundle(folder / "zero", "frames")
    assert bundle.manifest.settings["validated"] is False
    assert bundle.heldout().is_empty()
    assert bundle.trained_on() == frozenset()
    assert "Not validated" in bundle.card()
    assert "it is not calibrated" in " ".join(bundle.card().replace("*", "").split())
    assert "(not validated)" in discourse("bundle", "list", folder).out
    assert discourse("bundle", "verify", folder / "zero").code == 0
    rows = [{"id": str(i), "text": text, "thread_id": "t"} for i, text in enumerate(YES + NO)]
    thread = folder / "thread.jsonl"
    thread.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    settings = ["--frames", folder / "zero", "--set", f"codebook.file={folder / 'book.toml'}"]
    settings += ["--set", 'normalize.languages=["en"]']
    ran = discourse("run", thread, "-o", folder / "ws", *settings)
    assert ran.code == 0, ran.err
    assert "is not validated" in ran.err
    assert "it was made from definitions alone" in (folder / "ws" / "report.html").read_text(encoding="utf-8")
    estimates = discourse("report", folder / "ws", "--format", "json").json["estimates"]
    shares = [row for row in estimates if row["measure"] == "share" and row["level"].startswith("frame:")]
    assert shares
    assert {row["mark"] for row in shares} == {"not_estimable"}
    assert {row["estimate"] for row in shares} == {None}


def test_the_same_definitions_give_the_same_bundle(folder: Path, discourse: Command) -> None:
    (folder / "more").mkdir()
    for place in (folder / "zero", folder / "more" / "zero"):
        assert discourse("bundle", "train", "--zero-shot", folder / "book.toml", "-o", place).code == 0
    assert load_bundle(folder / "zero").sha256 == load_bundle(folder / "more" / "zero").sha256
    again = discourse("bundle", "train", "--zero-shot", folder / "book.toml", "-o", folder / "zero")
    assert again.code == 1
    assert "never written over" in again.error


def test_a_full_disk_is_told_and_leaves_nothing(folder: Path, discourse: Command) -> None:
    # A limit on the size of files stands in for a disk that is full: both fail in the middle of a file.
    before, limits = set(folder.iterdir()), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, limits[1]))
    try:
        said = discourse(*train(folder, "--data", folder / "eight.csv"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said.code == 1
    assert "cannot be written" in said.error
    # Finished folds stay, so that it goes on from there when there is room.
    assert {path.name.split("-")[0] for path in set(folder.iterdir()) - before} <= {".training"}


def test_an_interrupted_training_goes_on_and_leaves_nothing_half_written(
    folder: Path, discourse: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def interrupt(message: str) -> None:
        said.append(message)
        if message.startswith("fold 3"):
            raise KeyboardInterrupt

    monkeypatch.setattr("discourse.models.folds.say", interrupt)
    stopped = discourse(*train(folder, "--data", folder / "eight.csv"))
    assert stopped.code == 130
    assert "interrupted" in stopped.err
    left = {path.name for path in folder.iterdir()} - {"book.toml", "eight.csv"}
    assert {name.split("-")[0] for name in left} == {".training"}
    said.clear()
    monkeypatch.setattr("discourse.models.folds.say", said.append)
    assert discourse(*train(folder, "--data", folder / "eight.csv")).code == 0
    assert [line[:6] for line in said if line.startswith("fold")] == ["fold 3", "fold 4", "fold 5"]
    assert {path.name for path in folder.iterdir()} == {"book.toml", "eight.csv", "b"}


def test_an_output_that_exists_or_lies_below_a_file_is_refused(folder: Path, discourse: Command) -> None:
    (folder / "b").write_text("mine", encoding="utf-8")
    said = discourse(*train(folder, "--data", folder / "eight.csv"))
    assert said.code == 1
    assert "never written over" in said.error
    below = [*train(folder, "--data", folder / "eight.csv")[:-3], folder / "b" / "c", "--data", folder / "eight.csv"]
    assert discourse(*below).code == 1
    assert (folder / "b").read_text(encoding="utf-8") == "mine"
