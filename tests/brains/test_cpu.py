"""What the processor can do, in words."""

import pytest

from brains import cpu


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("avx2 avx512f avx512_vnni", "AVX-512 VNNI"),
        ("avx2 avx_vnni", "AVX-VNNI"),
        ("avx2 fma", "no VNNI"),
        ("", "no VNNI"),
    ],
)
def test_int8_arithmetic_is_named(monkeypatch: pytest.MonkeyPatch, flags: str, words: str) -> None:
    monkeypatch.setattr(cpu, "cpu_flags", lambda: frozenset(flags.split()))
    assert cpu.int8_arithmetic() == words
