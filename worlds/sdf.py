"""SDF elements: the few shapes of XML a generated world is made of."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from worlds.appearance import Colour

Element = Xml.Element


def element(tag: str, *children: Element, text: object = None, **attributes: str) -> Element:
    """An element with attributes, text and children."""
    made = Xml.Element(tag, attributes)
    if text is not None:
        made.text = _text(text)
    made.extend(children)
    return made


def leaves(**values: object) -> list[Element]:
    """Elements that hold only text: `leaves(mass=10)` is `<mass>10</mass>`."""
    return [element(tag, text=value) for tag, value in values.items()]


def pose(*six: float) -> Element:
    """A pose: x, y, z (m), roll, pitch, yaw (rad)."""
    return element("pose", text=six)


def mesh_visual(name: str, mesh: Path, material: Element) -> Element:
    """A visual that shows a mesh file, named from the folder above its own.

    Gazebo looks for it in GAZEBO_RESOURCE_PATH and in the current folder: a world can be moved, and
    be seen under another path inside the simulator root.
    """
    uri = element("mesh", *leaves(uri=f"file://{mesh.parent.name}/{mesh.name}"))
    return element(
        "visual",
        element("geometry", uri),
        material,
        *leaves(cast_shadows=False),
        name=name,
    )


def drawn_last(visual: Element) -> Element:
    """Make Gazebo draw a visual after all others, and hide none of them: it takes it for glass.

    What is transparent is drawn after what is solid, its depth compared but not kept. So little
    transparency is none in eight bits of colour; Gazebo takes less than a millionth for none.
    """
    visual.extend(leaves(transparency=1e-5))
    return visual


def flat_material(colour: Colour) -> Element:
    """A colour that reaches the camera exactly as given, whatever the light."""
    dark = (0.0, 0.0, 0.0, 1.0)
    return element(
        "material", *leaves(ambient=dark, diffuse=dark, specular=dark, emissive=(*colour, 1.0))
    )


def lit_material(colour: Colour, shine: float) -> Element:
    """A colour shaded by the sun."""
    return element(
        "material",
        *leaves(
            ambient=(*colour, 1.0),
            diffuse=(*colour, 1.0),
            specular=(shine, shine, shine, 1.0),
            emissive=(0.0, 0.0, 0.0, 1.0),
        ),
    )


def box_collision(name: str, size_m: Sequence[float], at: Element, *extra: Element) -> Element:
    """A box to collide with."""
    shape = element("geometry", element("box", *leaves(size=size_m)))
    return element("collision", at, shape, *extra, name=name)


def to_text(root: Element) -> str:
    """The document as indented XML."""
    Xml.indent(root)
    return '<?xml version="1.0"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Six digits, and never coarser than a millimetre.
        before_point = len(f"{abs(value):.0f}")
        return f"{value:.{max(6, before_point + 3)}g}"
    if isinstance(value, tuple | list):
        return " ".join(_text(item) for item in value)
    return str(value)
