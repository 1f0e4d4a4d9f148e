"""What real models need, for the tests of their formats."""

from pathlib import Path

import pytest

from tests.chat.field import field_folder


@pytest.fixture(scope="session")
def field(pytestconfig: pytest.Config) -> Path:
    """Templates and vocabularies of real models, downloaded once."""
    assert pytestconfig.cache is not None
    return field_folder(pytestconfig.cache.mkdir("downloads"))
