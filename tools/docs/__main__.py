"""Writes the generated documents: `python -m tools.docs`."""

from tools.docs.generated import DOCS, GENERATED

for name, render in GENERATED.items():
    (DOCS / name).write_text(render())
