"""Pages in a headless Chromium, as a phone and a desk show them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

needs_browser = pytest.mark.skipif(
    shutil.which("chromium") is None,
    reason="no chromium on PATH: pages are not checked in a browser (`make setup EXTRAS=dev`)",
)

# The pages have no scripts: this one tells what the browser made of them.
_PROBE = """<script>
document.querySelectorAll('details').forEach(d => d.open = true);
const drawn = [...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect());
const visible = drawn.filter(r => r.width > 250 && r.height > 60).length;
let covered = 0;
document.querySelectorAll('svg').forEach(s => {
  const words = [...s.querySelectorAll('text')].map(t => t.getBoundingClientRect());
  words.forEach((a, i) => words.slice(i + 1).forEach(b => {
    // The edges of their boxes are white.
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 3) covered += 1;
  }));
});
document.title = ['measured', innerWidth, document.documentElement.scrollWidth, drawn.length,
  visible, covered].join(' ');
</script>"""


class Layout(NamedTuple):
    """What a browser made of a page: pixels, pictures, and words in them that cover others."""

    window_width: int
    page_width: int
    drawings: int
    visible_drawings: int
    covered_words: int


def lay_out(page: Path, width: int) -> Layout:
    """Opens a page, all its folds unfolded, in a window so many pixels wide."""
    probed = page.with_name(f"probed-{page.name}")
    probed.write_text(page.read_text() + _PROBE)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},2000"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", probed.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r"<title>measured (\d+) (\d+) (\d+) (\d+) (\d+)</title>", done.stdout)
    assert found is not None
    return Layout(*map(int, found.groups()))
