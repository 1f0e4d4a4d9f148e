"""Vectors are normalised and cut as clients expect them."""

import numpy as np
import pytest

from llm_ext.errors import InvalidRequestError
from llm_ext.llama.vectors import check_dimensions, normalised


def test_a_normalised_vector_has_length_one_and_its_direction() -> None:
    vector = np.array([3, 0, -4], np.float32)
    assert np.array_equal(normalised(vector), np.array([0.6, 0, -0.8], np.float32))
    assert np.array_equal(vector, [3, 0, -4]), "the one given is left as it was"


def test_the_rows_of_a_matrix_are_normalised_each() -> None:
    rows = np.array([[3, 4], [0, 0], [5, 12]], np.float32)
    expected = np.array([[3 / 5, 4 / 5], [0, 0], [5 / 13, 12 / 13]], np.float32)
    assert np.array_equal(normalised(rows), expected)


def test_large_and_small_numbers_are_normalised_as_well() -> None:
    """Their squares are beyond what 32 bits hold."""
    for scale in (1e-30, 1e30):
        vector = np.array([scale, scale], np.float32)
        assert np.allclose(normalised(vector), np.sqrt(0.5), rtol=1e-6)


@pytest.mark.parametrize("dimensions", [0, -1, 4])
def test_a_vector_has_only_so_many_dimensions(dimensions: int) -> None:
    with pytest.raises(InvalidRequestError, match="have 3 components") as refusal:
        check_dimensions(dimensions, width=3)
    assert refusal.value.param == "dimensions"
    for fits in (1, 2, 3):
        check_dimensions(fits, width=3)
