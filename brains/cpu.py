"""What the processor can do."""

from functools import cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


@cache
def cpu_flags() -> frozenset[str]:
    """The flags of the first core, as Linux names them; empty where it does not tell."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith("flags"))
    return frozenset(next(flags, "").split())


def int8_arithmetic() -> str:
    """What the processor has for products of 8-bit integers, in words: int8 networks live on it."""
    for flag, words in (("avx512_vnni", "AVX-512 VNNI"), ("avx_vnni", "AVX-VNNI")):
        if flag in cpu_flags():
            return words
    return "no VNNI"
