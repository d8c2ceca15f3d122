"""Offline evaluation: every model's size, error, inference time and proof, measured alike."""
