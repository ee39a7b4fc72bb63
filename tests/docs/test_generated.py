"""The generated documents are those that the code gives today; `make docs` writes them again."""

import pytest
from pydantic import BaseModel

from activities.stages.catalogue import KINDS
from cronny.settings import Settings
from tools.docs.generated import DOCS, GENERATED

MODELS = [
    model
    for kind in KINDS.values()
    for model in (kind.with_model, kind.connection_model)
    if model is not None
]


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_document_is_not_stale(name: str) -> None:
    assert (DOCS / name).read_text() == GENERATED[name](), f"docs/{name} is stale: run `make docs`"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_of_a_stage_is_explained(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_every_setting_is_explained() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
