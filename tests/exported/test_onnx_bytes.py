"""The metadata of an ONNX file, with and without the library."""

import pytest

from tlae.exported.onnx_bytes import joined, split

METADATA = {"tlae": '{"a": "ü"}', "empty": "", "long": "x" * 70_000}


def test_what_is_joined_comes_apart() -> None:
    graph = b"\x08\x08" + b"\x3a\x03abc" + b"\x4d1234" + b"\x4912345678"
    assert split(joined(graph, METADATA)) == (graph, METADATA)
    assert split(graph) == (graph, {})


def test_the_library_reads_the_same() -> None:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Identity", ["in"], ["out"])
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1]) for name in ("in", "out")]
    made = onnx.helper.make_model(onnx.helper.make_graph([node], "g", ends[:1], ends[1:]))
    read = onnx.load_from_string(joined(made.SerializeToString(), METADATA))
    assert {pair.key: pair.value for pair in read.metadata_props} == METADATA
    assert split(read.SerializeToString())[1] == METADATA
    assert read.graph == made.graph


@pytest.mark.parametrize("data", [b"\x07", b"\x0a\x7f12", b"\xff" * 12, b"PK\x03\x04 a zip"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"it ends early|not an ONNX file"):
        split(data)
