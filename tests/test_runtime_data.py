"""Reading data sets: what loads, what does not and why, and that padding is all that batching adds."""

from __future__ import annotations

import os
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dvaec.compiler import compile_spec
from dvaec.runtime.batches import collate, in_order, shuffled
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split, load_splits
from dvaec.runtime.faults import DataFault
from dvaec.runtime.schema import resized
from tests.runtime_stand_in import CARD, arrays, small, write
from tests.shipped import SPECS

CPU = torch.device("cpu")
Arrays = dict[str, np.ndarray[Any, Any]]


def read(tmp_path: Path, content: Arrays, card: Card = CARD, **options: Any) -> Split:
    return load_splits(write(tmp_path / "set.npz", content), card, ["train"], **options)["train"]


def fault(tmp_path: Path, content: Arrays, card: Card = CARD) -> DataFault:
    with pytest.raises(DataFault) as caught:
        read(tmp_path, content, card)
    assert str(tmp_path / "set.npz") in caught.value.message
    return caught.value


def changed(**entries: Any) -> Arrays:
    return {**arrays(), **{name: np.asarray(value) for name, value in entries.items()}}


def test_a_split_holds_flat_arrays_and_one_axis_counts_as_dim_1(tmp_path: Path) -> None:
    content = arrays()
    split = read(tmp_path, content)
    assert split.order == ("x", "u")
    assert split.frames == content["train_lengths"].sum()
    assert split.framed["u"].shape == (split.frames, 1)
    assert np.array_equal(split.framed["x"], content["train_x"])


def test_batches_pad_with_zeros_and_keep_every_frame(tmp_path: Path) -> None:
    split = read(tmp_path, arrays())
    starts = np.cumsum(split.lengths) - split.lengths
    for members in in_order(split, 5):
        batch = collate(split, members, CPU, torch.float64)
        x = batch.tensors[0].numpy()
        assert batch.frames == batch.lengths.sum()
        for row, member in enumerate(batch.members):
            length = int(split.lengths[member])
            kept = split.framed["x"][starts[member] : starts[member] + length]
            assert np.array_equal(x[row, :length], kept)
            assert not x[row, length:].any()


def test_a_sequence_scores_the_same_alone_and_in_a_padded_batch(tmp_path: Path) -> None:
    split = read(tmp_path, arrays())
    model = small().double()
    members = list(range(split.sequences))
    together = collate(split, members, CPU, torch.float64)
    noise = torch.randn(len(members), int(np.max(split.lengths)), 2, dtype=torch.float64)
    whole = model.elbo(*together.tensors, lengths=together.lengths, noise_z=noise)  # type: ignore[operator]
    for member in members:
        alone = collate(split, [member], CPU, torch.float64)
        length = int(split.lengths[member])
        own = noise[member : member + 1, :length]
        one = model.elbo(*alone.tensors, lengths=alone.lengths, noise_z=own)  # type: ignore[operator]
        torch.testing.assert_close(one.elbo[0], whole.elbo[member], rtol=1e-12, atol=1e-12)


def test_shuffling_keeps_every_sequence_and_depends_on_seed_and_epoch_alone(tmp_path: Path) -> None:
    split = read(tmp_path, arrays(sequences=50))
    first = shuffled(split, 4, seed=1, epoch=1)
    assert sorted(k for batch in first for k in batch) == list(range(50))
    assert first == shuffled(split, 4, seed=1, epoch=1)
    assert first != shuffled(split, 4, seed=1, epoch=2)
    assert first != shuffled(split, 4, seed=2, epoch=1)


def test_batches_hold_sequences_of_similar_lengths(tmp_path: Path) -> None:
    split = read(tmp_path, arrays(sequences=64))

    def padding(batches: list[list[int]]) -> int:
        return sum(int(np.max(split.lengths[b])) * len(b) - int(np.sum(split.lengths[b])) for b in batches)

    plain = [list(range(at, at + 8)) for at in range(0, 64, 8)]
    assert padding(shuffled(split, 8, seed=0, epoch=1)) < padding(plain) / 2


def test_static_inputs_have_a_row_a_sequence(tmp_path: Path) -> None:
    card = replace(CARD, inputs={"u": 1, "c": 3}, static_inputs=("c",))
    label = np.arange(36, dtype=np.int64).reshape(12, 3)
    split = read(tmp_path, changed(train_c=label), card)
    batch = collate(split, [4, 2], CPU, torch.float32)
    assert torch.equal(batch.tensors[2], torch.tensor(label[[4, 2]], dtype=torch.float32))
    assert "has 11 sequences" in fault(tmp_path, changed(train_c=label[:11]), card).message


def test_packed_bits_stand_for_the_only_observed_variable(tmp_path: Path) -> None:
    content = arrays()
    notes = np.random.default_rng(0).integers(0, 2, size=(len(content.pop("train_x")), 11)).astype(np.uint8)
    notes[:, 10] = 1
    content["train_bits"] = np.packbits(notes, axis=1)
    card = replace(CARD, observed={"x": 11}, families={"x": "bernoulli"})
    assert np.array_equal(read(tmp_path, content, card).framed["x"], notes)
    wrong = fault(tmp_path, content, replace(card, observed={"x": 10}))
    assert "holds 11 to 16 bits a frame, but the model's x has dim 10" in wrong.message


def test_packed_bits_stand_for_a_static_variable_too(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 2, size=(5, 11)).astype(np.uint8)
    bits[:, 10] = 1
    card = replace(
        CARD, observed={"v": 11}, families={"v": "bernoulli"}, inputs={}, static_observed=("v",), length=4
    )
    split = read(tmp_path, {"train_bits": np.packbits(bits, axis=1)}, card)
    assert np.array_equal(split.static["v"], bits)
    assert split.lengths.tolist() == [4] * 5
    lengths = {"train_bits": np.packbits(bits, axis=1), "train_lengths": np.array([2, 1])}
    assert "'train_bits' has 5 sequences, but" in fault(tmp_path, lengths, card).message
    wrong = fault(tmp_path, {"train_bits": np.packbits(bits, axis=1)}, replace(card, observed={"v": 10}))
    assert "holds 11 to 16 bits a sequence" in wrong.message


def test_rows_of_nan_are_missing_and_nothing_else_may_be_nan(tmp_path: Path) -> None:
    x = np.ones((6, 2))
    x[[1, 5]] = np.nan
    content = {"train_x": x, "train_u": np.zeros(6), "train_lengths": np.array([2, 4])}
    split = read(tmp_path, content)
    assert split.missing["x"].tolist() == [False, True, False, False, False, True]
    assert not split.framed["x"][[1, 5]].any()
    batch = collate(split, [1, 0], CPU, torch.float32)
    assert batch.masks["x"].tolist() == [[True, True, True, False], [True, False, False, False]]
    assert not read(tmp_path, arrays()).missing
    x[2, 1] = np.nan
    found = fault(tmp_path, content)
    assert "array 'train_x' is nan at sequence 2, frame 1, dimension 2" in found.message
    assert (
        found.hint
        == "what is missing is nan in all its dimensions; a variable of its own can be missing alone"
    )
    found = fault(tmp_path, {**content, "train_x": np.ones((6, 2)), "train_u": np.full(6, np.nan)})
    assert "array 'train_u' is nan at sequence 1, frame 1, dimension 1" in found.message
    assert found.hint == "an input is always given; only what is observed may be missing"
    found = fault(tmp_path, {**content, "train_x": np.full((6, 2), np.nan)})
    assert "array 'train_x' is nan everywhere: nothing is observed" in found.message


def test_an_absent_input_is_zero_only_if_asked(tmp_path: Path) -> None:
    content = arrays()
    del content["train_u"]
    found = fault(tmp_path, content)
    assert "array 'train_u' is missing, which Small needs for 'u'" in found.message
    split = read(tmp_path, content, zero_inputs=True)
    assert split.framed["u"].shape == (split.frames, 1)
    assert not split.framed["u"].any()


def test_a_missing_array_names_the_nearest_one(tmp_path: Path) -> None:
    content = arrays()
    content["train_X"] = content.pop("train_x")
    assert fault(tmp_path, content).hint == "did you mean 'train_X'?"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"train_lengths": [1, 2]}, "but the split's lengths give 3"),
        ({"train_lengths": [5, 0, 3]}, "sequence 2 has length 0"),
        ({"train_lengths": [5, 3, -1]}, "sequence 3 has length -1"),
        ({"train_lengths": [2**62, 2**62, 3]}, "sequence 1 has length 4611686018427387904"),
        ({"train_lengths": [1.0, 2.0]}, "must be a list of integers, not float64"),
        ({"train_lengths": np.zeros(0, dtype=int)}, "is empty"),
        ({"train_x": np.zeros((3, 4, 2))}, "has shape (3, 4, 2), and must have (frames, dim)"),
        ({"train_x": np.zeros((3, 7))}, "has dim 7, but the model's x has dim 2"),
        ({"train_x": np.array(["a", "b"])}, "must hold real numbers or booleans"),
        ({"train_x": np.array([[1], [1, 2]], dtype=object)}, "'train_x' is pickled"),
    ],
)
def test_wrong_arrays_are_named(tmp_path: Path, entries: Arrays, message: str) -> None:
    assert message in fault(tmp_path, changed(**entries)).message


def test_a_wrong_dim_hints_at_the_override(tmp_path: Path) -> None:
    assert fault(tmp_path, changed(train_x=np.zeros((3, 7)))).hint == "--set x.dim=7"


@pytest.mark.parametrize(
    ("family", "value", "rule"),
    [
        ("gaussian", np.nan, "every value must be finite"),
        ("gaussian", -np.inf, "every value must be finite"),
        ("bernoulli", 0.5, "a bernoulli variable must be 0 or 1"),
        ("gamma", -0.25, "a gamma variable must not be negative"),
        ("poisson", 1.5, "a poisson variable must be a whole number that is not negative"),
        ("poisson", -1.0, "a poisson variable must be a whole number that is not negative"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, family: str, value: float, rule: str) -> None:
    x = np.ones((10, 2))
    x[6, 1] = value
    content = {"train_x": x, "train_u": np.zeros(10), "train_lengths": np.array([4, 2, 4])}
    card = replace(CARD, families={"x": family})
    found = fault(tmp_path, content, card)
    assert f"array 'train_x' is {value} at sequence 3, frame 1, dimension 2: {rule}" in found.message
    if family != "gaussian":
        assert str(found.hint).startswith("--set x.distribution=gaussian for real values")


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1])
def test_beta_values_lie_strictly_between_0_and_1(tmp_path: Path, value: float) -> None:
    x = np.full((10, 2), 0.25)
    x[9, 0] = value
    content = {"train_x": x, "train_u": np.zeros(10), "train_lengths": np.array([4, 2, 4])}
    message = fault(tmp_path, content, replace(CARD, families={"x": "beta"})).message
    place = "at sequence 3, frame 4, dimension 1"
    assert f"array 'train_x' is {value} {place}: a beta variable must be between 0 and 1" in message


CLASSES = replace(
    CARD,
    observed={"x": 3},
    families={"x": "categorical", "c": "categorical"},
    inputs={"c": 4},
    static_inputs=("c",),
)


def classes(x: list[Any], c: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    return {"train_x": np.array(x), "train_c": np.array(c), "train_lengths": np.array([3, 1])}


def test_classes_become_one_hot(tmp_path: Path) -> None:
    split = read(tmp_path, classes([0, 2, 1, 2], [3.0, 0.0]), CLASSES)
    assert np.array_equal(split.framed["x"], np.eye(3)[[0, 2, 1, 2]])
    assert np.array_equal(split.static["c"], np.eye(4)[[3, 0]])
    again = read(tmp_path, classes(np.eye(3)[[0, 2, 1, 2]].tolist(), np.eye(4)[[3, 0]].tolist()), CLASSES)
    assert np.array_equal(again.framed["x"], split.framed["x"])
    assert np.array_equal(again.static["c"], split.static["c"])


@pytest.mark.parametrize(
    ("x", "c", "said"),
    [
        ([0, 3, 1, 2], [3, 0], "'train_x' is 3 at sequence 1, frame 2, dimension 1: a class must be a whole"),
        ([0, 1, 1, 0.5], [3, 0], "'train_x' is 0.5 at sequence 2, frame 1, dimension 1: a class must be"),
        ([0, 1, 1, 0], [3, -1], "'train_c' is -1 at sequence 2, dimension 1: a class must be a whole number"),
        (
            [[1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 1, 0]],
            [3, 1],
            "sequence 1, frame 2, dimension 1: a categorical",
        ),
        (
            [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]],
            [3, 1],
            "sequence 1, frame 3, dimension 1: a categorical",
        ),
        ([[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 2, 0]], [3, 1], "is 2 at sequence 2, frame 1, dimension 2"),
    ],
)
def test_what_is_no_class_is_named_with_its_place(
    tmp_path: Path, x: list[Any], c: list[Any], said: str
) -> None:
    assert said in fault(tmp_path, classes(x, c), CLASSES).message


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    text = tmp_path / "notes.npz"
    text.write_text("hello")
    with pytest.raises(DataFault, match=r"not an \.npz archive"):
        load_splits(str(text), CARD, ["train"])
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataFault, match="a single array"):
        load_splits(str(tmp_path / "one.npy"), CARD, ["train"])
    cut = Path(write(tmp_path / "cut.npz", arrays()))
    cut.write_bytes(cut.read_bytes()[:300])
    with pytest.raises(DataFault, match=r"not an \.npz archive"):
        load_splits(str(cut), CARD, ["train"])
    with zipfile.ZipFile(tmp_path / "broken.npz", "w") as archive:
        archive.writestr("train_lengths.npy", b"\x93NUMPY\x01\x00\x04\x00 {}\n")
    with pytest.raises(DataFault, match="array 'train_lengths' is damaged"):
        load_splits(str(tmp_path / "broken.npz"), CARD, ["train"])
    with pytest.raises(DataFault, match="no such file") as caught:
        load_splits("pendulun", CARD, ["train"])
    assert caught.value.hint == "did you mean 'pendulum'?"


@pytest.mark.skipif("DVAEC_DATA" not in os.environ, reason="DVAEC_DATA names no folder of data sets")
def test_the_jsb_chorales_load_as_they_are() -> None:
    path = Path(os.environ["DVAEC_DATA"]) / "polymusic" / "jsb.npz"
    card = replace(CARD, observed={"x": 88}, families={"x": "bernoulli"}, inputs={})
    splits = load_splits(str(path), card, ["train", "valid", "test"])
    assert [s.sequences for s in splits.values()] == [229, 76, 77]
    assert [s.frames for s in splits.values()] == [13807, 4602, 4725]
    assert splits["train"].framed["x"].sum() / 13807 == pytest.approx(3.90, abs=0.01)


def test_a_hint_gives_a_page_as_many_axes_as_it_has() -> None:
    def hint(width: int, sizes: tuple[int, ...] = (), **axes: tuple[int, ...]) -> str:
        return resized(replace(CARD, axes=axes), "x", width, sizes)

    assert hint(88) == hint(88, y=(2, 44)) == "--set x.dim=88"
    assert hint(80, x=(20, 80)) == "--set 'x.dim=[20, 4]'"
    assert hint(88, x=(20, 80)) == "--set 'x.dim=[...]' of 2 axes whose product is 88"
    assert hint(88, (11, 8), x=(20, 80)) == "--set 'x.dim=[11, 8]'"
    assert hint(256, x=(1, 32, 32)) == "--set 'x.dim=[1, 16, 16]'"
    assert hint(256, (16, 16), x=(1, 32, 32)) == "--set 'x.dim=[1, 16, 16]'"
    assert hint(96, x=(1, 32, 32)) == "--set 'x.dim=[1, 32, 3]'"


def test_the_hint_for_a_page_with_axes_can_be_followed(tmp_path: Path) -> None:
    page = SPECS / "fhvae.yaml"
    small = ("i.dim=3",)
    random = np.random.default_rng(0)
    for array, axes in ((random.normal(size=(6, 40)), "[20, 2]"), (random.normal(size=(6, 5, 3)), "[5, 3]")):
        path = tmp_path / f"{array.ndim}.npz"
        np.savez(path, train_x=array, train_lengths=np.array([6]), train_i=np.array([[1]]))
        with pytest.raises(DataFault) as caught:
            load_splits(str(path), Card(**compile_spec(page, small).card), ["train"])
        assert caught.value.hint == f"--set 'x.dim={axes}'"
        (said,) = [word for word in shlex.split(caught.value.hint) if word != "--set"]
        split = load_splits(str(path), Card(**compile_spec(page, (*small, said)).card), ["train"])["train"]
        assert split.framed["x"].shape == (6, array.size // 6)
