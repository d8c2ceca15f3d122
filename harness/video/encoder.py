"""Writes pictures as an H.264 video that browsers and players take."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from harness.errors import UnavailableError
from harness.files import writing
from harness.recording.images import Picture

_CODEC: Final = "libx264"
# Quality as x264 counts it (0 lossless, 51 worst); 23 is its default.
_OPTIONS = {"crf": "23", "preset": "veryfast"}


def check_encoder() -> None:
    """Say at once what is missing, before anything is read.

    Raises:
        UnavailableError: No encoder is installed.
    """
    try:
        import av  # noqa: PLC0415 - heavy, and in an extra
    except ImportError as error:
        raise UnavailableError(
            f"no video encoder ({error}): run `make setup EXTRAS=video`"
        ) from None
    if _CODEC not in av.codecs_available:
        raise UnavailableError(f"this PyAV has no {_CODEC}: run `make setup EXTRAS=video`")


def write_video(
    pictures: Iterable[Picture], width: int, height: int, rate_hz: int, path: Path
) -> None:
    """Write a video; its file is whole or not there.

    Args:
        pictures: uint8 (height, width, 3) in blue-green-red.
        width: Pixels across, even.
        height: Pixels down, even.
        rate_hz: Pictures a second.
        path: The file, `.mp4`.

    Raises:
        StorageError: It can't be written.
    """
    import av  # noqa: PLC0415

    unfinished = path.with_name(f".{path.name}.part")
    with writing(path):
        try:
            with av.open(
                str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}
            ) as file:
                stream = file.add_stream(_CODEC, rate=rate_hz, options=_OPTIONS)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for picture in pictures:
                    file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
                file.mux(stream.encode(None))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
