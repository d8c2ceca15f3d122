"""The card that `harness model add` writes: all that a network's file tells, ??? for the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from brains.card import BLANK
from brains.ports import Port, Ports
from brains.source import SourceKind
from brains.view import Layout
from harness.errors import DataError

GUIDE = "docs/guides/models.md, A network of your own"
OWN_BRAIN = "docs/guides/own_brain.md"
_COLOURS = (1, 3)
_FEW, _MANY = 2, 4
_SEVERAL_BINS = 5


class Picture(NamedTuple):
    """What the file tells of the picture.

    Attributes:
        port: The input.
        layout: Where its channels stand; None: not told.
        size: Width and height; None: not told.
        channels: Of one frame; None: not told.
        frames: How many frames it sees at once; None: one, without an axis.
        axis: Where several frames stand.
    """

    port: Port
    layout: Layout | None
    size: tuple[int, int] | None
    channels: int | None
    frames: int | None = None
    axis: str | None = None


def new_card(
    file: str, kind: SourceKind, ports: Ports, *, builder: str | None, drop_lambda: bool
) -> str:
    """Text of a network's card.

    Args:
        file: The network's file, as the card names it.
        kind: Its kind.
        ports: What it takes and gives.
        builder: ``module:callable`` that builds the network of weights; None: not known.
        drop_lambda: Lambda layers are left out.

    Raises:
        DataError: It takes no picture, or what no card can say; in one line.
    """
    image = picture_of(file, ports)
    kept = fed_back(image, ports)
    others = [
        port for port in ports.inputs if port != image.port and port.name not in kept.values()
    ]
    outputs = [port for port in ports.outputs if port.name not in kept]
    lines = [
        f"# {GUIDE}. Fill in what is marked {BLANK}.",
        f"network: {file}",
    ]
    if kind in (SourceKind.TORCH_WEIGHTS, SourceKind.KERAS_WEIGHTS):
        lines.append(f"class: {builder or BLANK}   # module:callable that builds the network")
    if drop_lambda:
        lines.append("lambda: drop")
    lines += [
        "sees:",
        "  image:",
        *_image_lines(image, kind, named=len(ports.inputs) > 1),
        *_frame_lines(image),
        *_number_lines(others),
        "says:   # command = gain x output + offset; v in m/s, w in rad/s, positive to the left",
        *_value_lines(outputs),
        *_keep_lines(kept),
    ]
    return "\n".join(lines) + "\n"


def picture_of(file: str, ports: Ports) -> Picture:
    """The input that takes the picture.

    Raises:
        DataError: None does, or several do.
    """
    pictures = [port for port in ports.inputs if port.shape is None or len(port.shape) >= _MANY]
    if len(ports.inputs) > 1:
        pictures = [port for port in pictures if port.shape is not None] or pictures[:1]
    if not pictures:
        takes = ", ".join(_numbers(port) for port in ports.inputs)
        raise DataError(
            f"{file} takes {takes}, no picture: such a network needs a brain of its own "
            f"({OWN_BRAIN})"
        )
    if len(pictures) > 1:
        names = ", ".join(port.name for port in pictures)
        raise DataError(
            f"{file} takes {len(pictures)} pictures ({names}): such a network needs a brain of its "
            f"own ({OWN_BRAIN})"
        )
    (port,) = pictures
    if port.shape is None:
        return Picture(port, None, None, None)
    *first, a, b, c = port.shape
    if len(first) > 2:
        raise DataError(
            f"{file} takes {port}: a picture has height, width, channels, and frames at most; such "
            f"a network needs a brain of its own ({OWN_BRAIN})"
        )
    times = {"frames": first[1] or 1, "axis": "time"} if len(first) == 2 else {}
    if c in _COLOURS:
        return Picture(port, "nhwc", _size(a, b), c, **times)  # type: ignore[arg-type]
    if a in _COLOURS:
        return Picture(port, "nchw", _size(b, c), a, **times)  # type: ignore[arg-type]
    for layout, channels, size in (("nhwc", c, _size(a, b)), ("nchw", a, _size(b, c))):
        if not times and channels is not None and channels % 3 == 0 and channels <= 30:
            return Picture(port, layout, size, 3, channels // 3, "channels")  # type: ignore[arg-type]
    if c is not None and a is not None:
        raise DataError(
            f"{file} takes {port}: neither its first nor its last size is that of colours (1 or "
            f"3 a frame); such a network needs a brain of its own ({OWN_BRAIN})"
        )
    return Picture(port, None, None, None, **times)  # type: ignore[arg-type]


def fed_back(image: Picture, ports: Ports) -> dict[str, str]:
    """Outputs that look like a state for the next call, with the input of the same shape."""
    kept: dict[str, str] = {}
    free = [port for port in ports.inputs if port != image.port]
    for output in ports.outputs:
        if output.shape is None or len(output.shape) < _FEW or _count(output.shape) <= _FEW:
            continue
        for port in free:
            if port.shape == output.shape and port.name not in kept.values():
                kept[output.name] = port.name
                break
    return kept


def blank_lines(text: str) -> list[int]:
    """Lines of a card that are still to be filled in."""
    code = (line.partition("#")[0] for line in text.splitlines())
    return [number for number, line in enumerate(code, start=1) if BLANK in line]


def _image_lines(image: Picture, kind: SourceKind, *, named: bool) -> Iterator[str]:
    if named:
        yield f"    input: {image.port.name}"
    yield f"    crop: {BLANK}   # left, top, right, bottom as shares: [0, 0, 1, 1] sees all"
    size = BLANK if image.size is None else f"[{image.size[0]}, {image.size[1]}]"
    yield f"    size: {size}   # width, height in pixels"
    if image.channels == 1:
        yield "    colour: grey"
    else:
        yield f"    colour: {BLANK}   # rgb, bgr, yuv, hsv or grey"
    torch = kind in (SourceKind.TORCHSCRIPT, SourceKind.TORCH_EXPORT, SourceKind.TORCH_WEIGHTS)
    if image.layout is not None or torch:
        yield f"    layout: {image.layout or 'nchw'}"
    if image.port.dtype == "uint8":
        yield "    scale: 1   # it takes bytes"
    else:
        yield f"    scale: {BLANK}   # of a pixel's 0 to 255: 1/255; or 1/127.5 with offset: -1"
        yield f"    offset: {BLANK}"


def _frame_lines(image: Picture) -> Iterator[str]:
    if image.axis is None:
        return
    count = image.frames or 1
    example = list(range(1 - count, 1))
    if count == 1:
        yield "  frames: [0]"
    else:
        yield f"  frames: {BLANK}   # ages in its order: {example} is oldest first"
    yield f"  axis: {image.axis}"


def _number_lines(ports: list[Port]) -> Iterator[str]:
    if ports:
        yield "  numbers:   # from: measured_speed, previous_v, previous_w; or constant: 0"
    for port in ports:
        count = _count(port.shape or (1,))
        each = ", ".join([f"{{from: {BLANK}}}"] * count)
        yield f"    {port.name}: [{each}]"


def _value_lines(ports: list[Port]) -> Iterator[str]:
    """v and w, as far as the outputs tell which is which: not at all, but they may be counted."""
    scaled = f"gain: {BLANK}, offset: {BLANK}"
    if len(ports) == 1 and _count(ports[0].shape or ()) == 1:
        yield f"  v: {{constant: {BLANK}}}   # it says one number: this drives at one speed"
        yield f"  w: {{{scaled}}}"
        return
    if len(ports) == 1:
        yield f"  v: {{index: {BLANK}, {scaled}}}   # {_numbers(ports[0])}; the first is 0"
        yield f"  w: {{index: {BLANK}, {scaled}}}"
        return
    names = ", ".join(_numbers(port) for port in ports) or "not told by the file"
    hint = f"{{output: {BLANK}, {scaled}}}"
    yield f"  v: {hint}   # outputs: {names}"
    if any(_count(port.shape or ()) >= _SEVERAL_BINS for port in ports):
        yield "  # of classes instead of a number: bins: [lowest, highest]"
    yield f"  w: {hint}"


def _keep_lines(kept: dict[str, str]) -> Iterator[str]:
    if kept:
        pairs = ", ".join(f"{output}: {port}" for output, port in kept.items())
        yield f"keeps: {{{pairs}}}   # outputs fed back as inputs; none: it keeps no state"


def _numbers(port: Port) -> str:
    count = _count(port.shape or (1,))
    return f"{count} number{'s' if count > 1 else ''} ({port.name})"


def _count(shape: tuple[int | None, ...]) -> int:
    """Values of one sample."""
    count = 1
    for size in shape:
        count *= size or 1
    return count


def _size(height: int | None, width: int | None) -> tuple[int, int] | None:
    return None if height is None or width is None else (width, height)


def card_path(file: Path) -> Path:
    """Where a network's card belongs: beside it, under its name."""
    return file.with_name(f"{file.stem if file.is_file() else file.name}.yaml")
