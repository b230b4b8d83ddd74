from __future__ import annotations

from datetime import date

import pytest

from harness.registry import FileContentError, ModelSpec, ProviderSpec, Registry

pytestmark = pytest.mark.portable


@pytest.fixture
def load(tmp_path):
    def write_and_load(text):
        path = tmp_path / "catalogue.csv"
        path.write_bytes(text.encode())
        return Registry.from_file(path).snapshot()

    return write_and_load


def test_the_shipped_catalogue_loads_in_whole(fixtures):
    snapshot = Registry.from_file(fixtures / "model_catalogue.csv").snapshot()

    assert (len(snapshot.models), len(snapshot.providers)) == (4551, 152)
    assert snapshot.models["1024-x-1024/50-steps/bedrock/amazon.nova-canvas-v1:0"] == ModelSpec(
        "1024-x-1024/50-steps/bedrock/amazon.nova-canvas-v1:0",
        "bedrock",
        mode="image_generation",
        max_input_tokens=2600,
        deprecation_date=date(2026, 9, 30),
    )


def test_preview_on_the_catalogue_finds_all_models_of_a_provider(fixtures):
    # awaken C28
    snapshot = Registry.from_file(fixtures / "model_catalogue.csv").snapshot()

    assert len(snapshot.preview_remove_provider("bedrock").model_ids) == 331


def test_providers_are_inferred(load):
    assert dict(load("model_id,provider_id\nfast,mail\ncareful,mail\n").providers) == {
        "mail": ProviderSpec("mail", "mail")
    }


def test_columns_may_come_in_any_order_and_empty_cells_are_unknown(load):
    snapshot = load("max_output_tokens,provider_id,model_id,mode\n,mail,fast,\n")

    assert snapshot.models["fast"] == ModelSpec("fast", "mail")


def test_a_byte_order_mark_empty_lines_and_windows_ends_are_fine(load):
    snapshot = load('\ufeffmodel_id,provider_id\r\n\r\n"fast, new",mail\r\n')

    assert list(snapshot.models) == ["fast, new"]


def test_the_line_of_a_fault_counts_quoted_line_breaks(load):
    with pytest.raises(FileContentError) as caught:
        load('model_id,provider_id,mode,max_input_tokens\nfast,mail,"a\nb",1\ncareful,mail,chat,x\n')

    assert caught.value.line == 4
