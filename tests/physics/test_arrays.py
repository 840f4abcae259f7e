"""The promotion rules: the same for NumPy and torch, whatever stands beside an array."""

import numpy as np
import pytest
import torch

from ntn_gym.physics.arrays import promote


@pytest.mark.parametrize("as_array", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("number", [2, 2.0, np.float64(2.0), np.float32(2.0), np.int64(2)])
def test_numbers_take_the_type_and_library_of_the_arrays(as_array, number) -> None:
    single = as_array(np.ones(3, dtype=np.float32))
    xp, array, scalar = promote(single, number)
    assert array is single
    assert isinstance(scalar, type(single)) and scalar.dtype == single.dtype and float(scalar) == 2.0
    assert xp.sum(array * scalar) == 6.0


@pytest.mark.parametrize("as_array", [np.asarray, torch.as_tensor])
def test_integers_become_float64_and_mixed_floats_widen(as_array) -> None:
    _, whole, single, number = promote(as_array(np.arange(3)), as_array(np.ones(3, dtype=np.float32)), 1)
    assert str(whole.dtype).endswith("float64")
    assert str(single.dtype).endswith("float32") and str(number.dtype).endswith("float32")
    _, _, double, number = promote(as_array(np.ones(1, dtype=np.float32)), as_array(np.ones(1)), 1)
    assert str(double.dtype).endswith("float64") and str(number.dtype).endswith("float64")


def test_numbers_and_lists_alone_are_float64_arrays() -> None:
    for value in (1, 1.5, np.float32(1.5), np.float64(1.5), [1, 2], [[1.0], [2.0]]):
        _, array = promote(value)
        assert isinstance(array, np.ndarray) and array.dtype == np.float64
    _, array, beside = promote([1, 2], np.ones(2, dtype=np.float32))
    assert array.dtype == beside.dtype == np.float32


def test_two_libraries_are_refused() -> None:
    with pytest.raises(TypeError, match="Multiple namespaces"):
        promote(np.ones(2), torch.ones(2))
