"""Folders on disk, tables, archives of all sequences, torch datasets: what loads, and how a fault is named."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset

from dvaec.runtime.batches import collate, shuffled
from dvaec.runtime.card import Card
from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault
from dvaec.runtime.normalise import fit, normalised
from dvaec.runtime.sources.datasets import split_from, write_folder
from dvaec.runtime.sources.folder import ArrayWriter
from dvaec.runtime.split import SPLITS, Split
from tests.runtime_stand_in import CARD, arrays, write

CPU = torch.device("cpu")
X1 = replace(CARD, observed={"x": 1}, inputs={})


def saved(folder: Path, content: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    for name, array in content.items():
        np.save(folder / f"{name}.npy", array)
    return str(folder)


def same(first: Split, second: Split) -> None:
    assert first.lengths.tolist() == second.lengths.tolist()
    for members in shuffled(first, 4, seed=0, epoch=1):
        one, other = (collate(split, members, CPU, torch.float64) for split in (first, second))
        assert all(torch.equal(a, b) for a, b in zip(one.tensors, other.tensors, strict=True))


def message(source: str | Path, card: Card = CARD, names: tuple[str, ...] = ("train",)) -> DataFault:
    with pytest.raises(DataFault) as caught:
        load_splits(str(source), card, names)
    return caught.value


def test_a_folder_of_npy_gives_the_batches_of_the_archive(tmp_path: Path) -> None:
    content = arrays()
    folder, archive = saved(tmp_path / "set", content), write(tmp_path / "set.npz", content)
    for name, split in load_splits(folder, CARD, SPLITS).items():
        assert isinstance(split.framed["x"], np.memmap)
        same(split, load_splits(archive, CARD, [name])[name])


def test_a_folder_larger_than_memory_is_never_read_as_a_whole(tmp_path: Path) -> None:
    """A sparse file of 2 TB: whoever read it all would not come back, and would need its memory."""
    sequences, frames, dim = 1_000_000, 500, 1000
    path = tmp_path / "train_x.npy"
    with ArrayWriter(path) as writer:
        writer.write(np.zeros((0, dim), dtype=np.float32))
    header = path.stat().st_size
    text = path.read_bytes().replace(b"(0, 1000), }" + b" " * 8, b"(500000000, 1000), }")
    path.write_bytes(text)
    os.truncate(path, header + sequences * frames * dim * 4)
    with path.open("r+b") as file:
        file.seek(header + 7 * frames * dim * 4)
        file.write(np.arange(dim, dtype=np.float32).tobytes())
    np.save(tmp_path / "train_lengths.npy", np.full(sequences, frames))
    card = replace(CARD, observed={"x": dim}, inputs={})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    split = load_splits(str(tmp_path), card, ["train"])["train"]
    assert split.frames == sequences * frames
    batch = collate(split, [7, sequences - 1], CPU, torch.float32)
    assert torch.equal(batch.tensors[0][0, 0], torch.arange(dim, dtype=torch.float32))
    assert batch.tensors[0].shape == (2, frames, dim)
    assert not batch.tensors[0][0, 1:].any()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000, "kB"


def test_only_the_rows_of_a_batch_are_read(tmp_path: Path) -> None:
    content = arrays()
    split = load_splits(saved(tmp_path / "set", content), CARD, ["train"])["train"]
    asked: list[tuple[int, int]] = []

    class Watched(np.ndarray[Any, Any]):
        def __getitem__(self, key: Any) -> Any:
            asked.append((key.start, key.stop))
            return np.asarray(super().__getitem__(key))

    watched = {name: array.view(Watched) for name, array in split.framed.items()}
    collate(replace(split, framed=watched), [3, 1], CPU, torch.float32)
    ends = np.cumsum(split.lengths)
    expected = [(int(ends[k] - split.lengths[k]), int(ends[k])) for k in (3, 1)]
    assert asked == expected * 2


def test_faults_of_data_on_disk_are_found_when_their_batch_is_read(tmp_path: Path) -> None:
    x = np.ones((6, 2))
    x[4, 1] = np.inf
    content = {"train_x": x, "train_u": np.zeros(6), "train_lengths": np.array([2, 4])}
    folder = saved(tmp_path / "set", content)
    split = load_splits(folder, CARD, ["train"])["train"]
    collate(split, [0], CPU, torch.float32)
    with pytest.raises(DataFault, match="'train_x' is inf at sequence 2, frame 3, dimension 2: every value"):
        collate(split, [1], CPU, torch.float32)
    x[4] = np.nan
    split = load_splits(saved(tmp_path / "set", content), CARD, ["train"])["train"]
    assert not collate(split, [0], CPU, torch.float32).masks
    masks = collate(split, [0, 1], CPU, torch.float32).masks
    assert masks["x"].tolist() == [[True, True, False, False], [True, True, False, True]]
    assert (
        "has dim 2, but the model's x has dim 3" in message(folder, replace(CARD, observed={"x": 3})).message
    )
    (tmp_path / "set" / "train_x.npy").write_bytes(b"\x93NUMPY")
    assert "train_x.npy: damaged" in message(folder).message


def test_classes_and_bits_in_a_folder(tmp_path: Path) -> None:
    card = replace(X1, observed={"x": 3}, families={"x": "categorical"})
    folder = saved(tmp_path / "set", {"train_x": np.array([0, 2, 1, 2]), "train_lengths": np.array([3, 1])})
    batch = collate(load_splits(folder, card, ["train"])["train"], [0], CPU, torch.float32)
    assert torch.equal(batch.tensors[0][0], torch.eye(3)[[0, 2, 1]])
    notes = np.random.default_rng(0).integers(0, 2, size=(4, 11)).astype(np.uint8)
    notes[:, 10] = 1
    packed = {"train_bits": np.packbits(notes, axis=1), "train_lengths": np.array([3, 1])}
    card = replace(X1, observed={"x": 11}, families={"x": "bernoulli"})
    split = load_splits(saved(tmp_path / "bits", packed), card, ["train"])["train"]
    assert np.array_equal(split.framed["x"], notes)


def test_an_array_is_written_row_by_row(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "a.npy") as writer:
        for k in range(1, 30):
            writer.write(np.full((k, 3), k, dtype=np.float32))
        with pytest.raises(ValueError, match="float64"):
            writer.write(np.zeros((1, 3)))
    found = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert np.array_equal(found[:, 1], np.repeat(np.arange(1, 30), np.arange(1, 30)))


def test_a_dataset_that_does_not_fit_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    write_folder(tmp_path, X1, {"train": [torch.ones(3, 1), torch.ones(2, 1)]})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(DataFault, match="item 2"):
        write_folder(tmp_path, X1, {"train": [torch.zeros(3, 1), torch.zeros(2, 4)]})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


TABLE = """sequence,split,x_1,x_2,u
b,train,1,2,0.5
a,train,3,,0.25
b,train,5,6,1
a,train,NA,NaN,2
c,test,7,8,0
"""


def table(tmp_path: Path, text: str = TABLE, **changes: str) -> str:
    path = tmp_path / "runs.csv"
    for before, after in changes.items():
        text = text.replace(before, after)
    path.write_text(text)
    return str(path)


def test_a_csv_becomes_sequences_with_masks(tmp_path: Path) -> None:
    splits = load_splits(table(tmp_path), CARD, ["train", "test"])
    train = splits["train"]
    assert train.lengths.tolist() == [2, 2]
    batch = collate(train, [0, 1], CPU, torch.float64)
    assert batch.tensors[0].tolist() == [[[1, 2], [5, 6]], [[0, 0], [0, 0]]]
    assert batch.tensors[1].tolist() == [[[0.5], [1]], [[0.25], [2]]]
    assert batch.masks["x"].tolist() == [[True, True], [False, False]]
    assert splits["test"].framed["x"].tolist() == [[7, 8]]
    assert not splits["test"].missing


def test_parquet_is_the_same_and_options_name_columns(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    expected = load_splits(table(tmp_path), CARD, ["train"])["train"]
    frame = polars.read_csv(table(tmp_path), infer_schema_length=None)
    frame = frame.with_columns(polars.col("x_1").replace("NA", None).cast(polars.Float64))
    frame = frame.rename({"sequence": "run", "split": "part", "x_1": "height", "x_2": "width", "u": "push"})
    path = tmp_path / "runs.parquet"
    frame.write_parquet(path)
    source = f"{path}:sequence=run,split=part,x=height+width,u=push"
    same(load_splits(source, CARD, ["train"])["train"], expected)


def test_a_folder_of_tables_needs_no_split_and_time_sorts(tmp_path: Path) -> None:
    for name in SPLITS:
        (tmp_path / f"{name}.csv").write_text("run,x,when\n2,1,5\n2,2,3\n1,3,1\n")
    split = load_splits(f"{tmp_path}:sequence=run,time=when", X1, ["valid"])["valid"]
    assert split.framed["x"][:, 0].tolist() == [2, 1, 3]
    assert split.lengths.tolist() == [2, 1]
    (tmp_path / "test.csv").write_text("run,x,when\n2,1,5\n2,2,5\n")
    fault = message(f"{tmp_path}:sequence=run,time=when", X1, ("test",)).message
    assert fault == f"{tmp_path / 'test.csv'}: column 'when' is 5 at row 2 and at row 1 of one sequence"


def test_what_belongs_to_a_sequence_is_constant_in_a_table(tmp_path: Path) -> None:
    card = replace(CARD, observed={"x": 1}, inputs={"c": 1}, static_inputs=("c",))
    path = tmp_path / "t.csv"
    path.write_text("sequence,split,x,c\n1,train,1,7\n2,train,2,8\n1,train,3,7\n")
    split = load_splits(str(path), card, ["train"])["train"]
    assert split.static["c"].tolist() == [[7], [8]]
    path.write_text("sequence,split,x,c\n1,train,1,7\n2,train,2,8\n1,train,3,9\n")
    assert (
        message(path, card).message == f"{path}: column 'c' is 9 at row 3 and 7 before: one value a sequence"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("b,train,5,6,1", "b,train,5,inf,1", "column 'x_2' is inf at row 3: every value must be finite"),
        ("b,train,5,6,1", "b,train,five,6,1", "column 'x_1' is 'five' at row 3: must be a number, or empty"),
        ("b,train,5,6,1", "b,train,5,6,", "column 'u' is nan at row 3: every value must be finite"),
        ("b,train,5,6,1", ",train,5,6,1", "column 'sequence' is empty at row 3"),
        ("c,test", "c,tests", "column 'split' is tests at row 5: must be train, valid, test"),
        ("split,", "part,", "column 'split' is missing"),
        ("x_1,x_2", "x_1,x_3", "column 'x_2' is missing"),
        ("x_1,x_2", "y_1,y_2", "column 'x' is missing"),
    ],
)
def test_a_fault_of_a_table_names_file_column_and_row(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    fault = message(table(tmp_path, **{before: after}))
    assert fault.message.startswith(f"{tmp_path / 'runs.csv'}: {said}")


def test_a_table_that_cannot_be_read_names_the_row_or_the_column(tmp_path: Path) -> None:
    table = tmp_path / "set.csv"
    table.write_text("sequence,split,x\na,train,1\na,train,2,3\n")
    assert message(table, X1).message == f"{table}: not a table: row 2 has 4 cells, and the header 3"
    table.write_text("sequence,split,x,x\na,train,1,2\n")
    assert message(table, X1).message == f"{table}: two columns are called 'x'"
    table.write_bytes(b"sequence,split,x\n\xe9,train,1\n")
    assert message(table, X1).hint == "save it as UTF-8"


def test_a_table_names_its_columns_in_every_fault(tmp_path: Path) -> None:
    path = table(tmp_path)
    fault = message(path, replace(CARD, observed={"x": 3}))
    assert (
        fault.message == f"{path}: the array of columns 'x_1', 'x_2' has dim 2, but the model's x has dim 3"
    )
    bernoulli = replace(CARD, families={"x": "bernoulli"})
    assert (
        "column 'x_2' is 2.0 at row 1: a bernoulli variable must be 0 or 1"
        in message(path, bernoulli).message
    )
    (tmp_path / "empty").mkdir()
    empty = table(tmp_path / "empty", "sequence,split,x,u\n1,train,,0\n1,train,,0\n")
    assert message(empty, replace(X1, inputs={"u": 1})).message == (
        f"{empty}: column 'x' is nan everywhere: nothing is observed"
    )
    assert message(path, names=("valid",)).message == f"{path}: no row of the split valid"
    assert message(f"{path}:sequenc=run").hint == "did you mean 'sequence'?"
    assert message(f"{path}:x=x_1+x_9").message == f"{path}: column 'x_9' is missing"
    assert message(f"{path}:x=").message == f"{path}:x=: 'x=' is no option"


def test_an_archive_of_all_sequences_is_divided(tmp_path: Path) -> None:
    pos = np.arange(6 * 2 * 3, dtype=np.int16).reshape(6, 2, 3)
    pos[:, 1, 0] = 4
    content = {"pos": pos, "lengths": np.array([2, 1, 3]), "split": np.array([0, 2, 0], dtype=np.uint8)}
    path = write(tmp_path / "all.npz", content)
    card = replace(X1, observed={"x": 6})
    splits = load_splits(f"{path}:x=pos*0.5", card, ["train", "test"])
    assert splits["train"].lengths.tolist() == [2, 3]
    assert np.array_equal(splits["train"].framed["x"], pos.reshape(6, 6)[[0, 1, 3, 4, 5]] * 0.5)
    assert splits["test"].framed["x"].shape == (1, 6)
    dropped = load_splits(f"{path}:x=pos,drop=constant", replace(X1, observed={"x": 5}), ["test"])["test"]
    assert np.array_equal(dropped.framed["x"], np.delete(pos.reshape(6, 6), 3, axis=1)[[2]])
    assert "array 'x' is missing, which Small needs for 'x'" in message(path, card).message
    assert message(f"{path}:x=poss", card).hint == "did you mean 'pos'?"
    assert "the factor must be a number" in message(f"{path}:x=pos*big", card).message
    short = write(tmp_path / "short.npz", content | {"pos": pos[:5]})
    assert "array 'pos' has 5 frames, but the lengths give 6" in message(f"{short}:x=pos", card).message
    odd = write(tmp_path / "odd.npz", content | {"split": np.array([0, 3, 0])})
    assert "must hold 0 (train), 1 (valid) or 2 (test)" in message(f"{odd}:x=pos", card).message


class Mapped(Dataset[dict[str, torch.Tensor]]):
    """Sequences of a stand-in set, from Python."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __len__(self) -> int:
        return self.split.sequences

    def __getitem__(self, k: int) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(self.split.rows(name, k)[0]) for name in self.split.order}


class Streamed(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """The same as a stream of tuples."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __iter__(self) -> Any:
        for k in range(self.split.sequences):
            yield tuple(torch.from_numpy(self.split.rows(name, k)[0]) for name in ("x", "u"))


def test_torch_datasets_become_splits_and_folders(tmp_path: Path) -> None:
    split = load_splits(write(tmp_path / "set.npz", arrays()), CARD, ["train"])["train"]
    same(split_from(Mapped(split), CARD), split)
    same(split_from(Streamed(split), CARD), split)
    write_folder(tmp_path / "made", CARD, {"train": Streamed(split), "valid": Mapped(split)})
    for name, found in load_splits(str(tmp_path / "made"), CARD, ["train", "valid"]).items():
        same(found, split)
        assert found.name == name


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "the dataset is empty"),
        ([(torch.zeros(3, 2), torch.zeros(2, 1))], "item 1 has 3 of 'x', 2 of 'u': frames must be as many"),
        (
            [(torch.zeros(3, 2), torch.zeros(3)), (torch.zeros(1, 3), torch.zeros(1))],
            "item 2: 'x' is float32",
        ),
        ([{"x": torch.zeros(3, 2), "y": torch.zeros(3)}], "item 1 has 'y'"),
        ([(torch.zeros(3, 2), torch.zeros(3)), (torch.zeros(3, 2),)], "item 2 has x, others x, u"),
        ([(torch.tensor(1.0), torch.zeros(3))], "item 1: 'x' is float32 of shape ()"),
        ([(torch.zeros(3, 2), torch.zeros(3), torch.zeros(3))], "item 1 has 3 parts"),
        ([(torch.full((3, 2), torch.inf), torch.zeros(3))], "'train_x' is inf at sequence 1, frame 1"),
    ],
)
def test_items_that_do_not_fit_are_named(items: list[Any], said: str) -> None:
    with pytest.raises(DataFault) as caught:
        split_from(items, CARD)
    assert said in caught.value.message


def test_data_on_disk_are_normalised_as_they_are_read(tmp_path: Path) -> None:
    content = arrays()
    on_disk = load_splits(saved(tmp_path / "set", content), CARD, ["train"])["train"]
    held = load_splits(write(tmp_path / "set.npz", content), CARD, ["train"])["train"]
    kinds = {"x": "standard", "u": "scale"}
    same(normalised(on_disk, fit(on_disk, kinds)), normalised(held, fit(held, kinds)))


@pytest.mark.skipif("DVAEC_DATA" not in os.environ, reason="DVAEC_DATA names no folder of data sets")
def test_motion_capture_opens_as_it_is() -> None:
    path = Path(os.environ["DVAEC_DATA"]) / "motion" / "cmu_mocap_30hz.npz"
    card = replace(X1, observed={"x": 96})
    splits = load_splits(f"{path}:x=pos*0.1,drop=constant", card, SPLITS)
    assert [s.sequences for s in splits.values()] == [55, 10, 23]
    assert [s.frames for s in splits.values()] == [6459, 1351, 2845]
    mean = splits["train"].framed["x"].mean(axis=0)
    apart = (splits["test"].framed["x"] - mean).reshape(-1, 32, 3)
    by_frame = np.sqrt((apart**2).sum(axis=2)).sum(axis=1) / 38
    ends = np.cumsum(splits["test"].lengths)[:-1]
    clips = [part.mean() for part in np.split(by_frame, ends)]
    assert np.mean(clips) == pytest.approx(97.5, abs=0.1)  # the mean pose's error, as its README gives it


@pytest.mark.parametrize(
    ("library", "extra", "source"),
    [("polars", "tables", "runs.csv"), ("soundfile", "audio", "wavs"), ("music21", "music", "chorales")],
)
def test_what_an_extra_brings_is_named(
    library: str, extra: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, library, None)
    table(tmp_path)
    (tmp_path / "wavs" / "train").mkdir(parents=True)
    (tmp_path / "wavs" / "train" / "a.wav").touch()
    assert message(source).hint == f"pip install 'dvaec[{extra}]'"
