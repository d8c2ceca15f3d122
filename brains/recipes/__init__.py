"""How each model's file is made: one module per method."""
