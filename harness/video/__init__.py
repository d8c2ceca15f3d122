"""`harness video`: what the camera saw, with what the car did beside it."""
