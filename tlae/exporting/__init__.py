"""Wing: trained models become ONNX files that are scored without torch."""
