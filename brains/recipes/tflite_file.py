"""A TFLite file from another: weights as int8, by Google's quantiser of finished files.

Its static int8 is left out: of four networks tried it lost 29 % to 91 % of the variance of the
answers.
"""

from brains.workshop import Workshop


def dynamic_range(workshop: Workshop) -> None:
    """Weights as int8, activations in float32 between the layers."""
    from ai_edge_quantizer import quantizer, recipe  # noqa: PLC0415 - an extra of its own

    tool = quantizer.Quantizer(str(workshop.source))
    tool.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    workshop.target.write_bytes(bytes(tool.quantize().quantized_model))
