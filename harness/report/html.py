"""Pages as HTML files that need nothing else: no network, no scripts."""

from pathlib import Path
from typing import Any

import jinja2

from harness.report.cells import interval_text, marked_text
from harness.report.origin import MODEL_HEADINGS

_FOLDER = Path(__file__).parent


def render(template: str, page: Any, **values: Any) -> str:
    """A page, its style sheet within.

    Args:
        template: File of the template, which extends `base.html.j2`.
        page: What the page says; it has a `title`.
        values: What else the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked_text": marked_text, "interval_text": interval_text}
    return environment.get_template(template).render(
        page=page,
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        model_headings=MODEL_HEADINGS,
        **values,
    )
