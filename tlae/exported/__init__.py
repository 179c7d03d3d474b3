"""Models as ONNX files: read and run without torch."""
