"""`harness model`: a network of one's own."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="A network of your own.", no_args_is_help=True)


@app.callback()
def model() -> None:
    """A network of your own: from its file to a card, with which every command takes it."""


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The network's file, or a SavedModel's folder.")],
    builder: Annotated[
        str | None,
        typer.Option("--class", help="Builds the network of weights: my_module:MyNet."),
    ] = None,
    drop_lambda: Annotated[
        bool,
        typer.Option(
            "--drop-lambda", help="Leave out Keras' Lambda layers, whose code is never run."
        ),
    ] = False,
) -> None:
    """Say what a network takes and gives, and write its card beside it.

    What no file tells is marked ??? in the card: fill it in. Nothing that the file brings is run
    here; files that would are refused.

    Example: harness model add my_net.onnx
    """
    from brains.card import BLANK
    from brains.new_card import blank_lines, card_path, new_card
    from brains.ports import look
    from brains.source import TITLES, kind_of
    from harness.errors import UsageError
    from harness.files import write_text

    kind = kind_of(file, drop_lambda=drop_lambda)
    path = card_path(file)
    if path.exists():
        raise UsageError(f"{path} is there already: fill it in, or remove it first")
    ports = look(file, drop_lambda=drop_lambda)
    typer.echo(f"{file} is {TITLES[kind]}")
    for verb, side in (("takes", ports.inputs), ("gives", ports.outputs)):
        typer.echo(f"  {verb} {', '.join(map(str, side)) or 'what the file does not tell'}")
    text = new_card(file.name, kind, ports, builder=builder, drop_lambda=drop_lambda)
    write_text(path, text)
    blanks = blank_lines(text)
    typer.echo(
        f"wrote {path}: fill in what is marked {BLANK} (lines {', '.join(map(str, blanks))})"
        if blanks
        else f"wrote {path}"
    )
    typer.echo(f"then: harness check-brain {path} && harness lap --model {path}")
