"""matplotlib's SVG as an element of a page: in its colors and its font, with names of its own.

The colors of the house become custom properties, which follow light and dark; words are words. What
says nothing is left out, so that a page stays light.
"""

from __future__ import annotations

import base64
import hashlib
import re
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from reglib.plotting.style import GRID, INK, PALETTE, PANEL, STEPS

#: What the page's style sheet may make of each color of the house.
PROPERTIES = {
    **{color: f"--plot-{number}" for number, color in enumerate(PALETTE, 1)},
    **{color: f"--plot-step-{number}" for number, color in enumerate(STEPS, 1)},
    INK: "--book-ink",
    GRID: "--book-line",
    PANEL: "--book-paper",
}
PAINTS = {color.lower(): f"var({name},{color.lower()})" for color, name in PROPERTIES.items()}
#: The address of an image whose white is the page: its lightness is turned over in the dark.
TURNED = "turned"
PHOTOGRAPH = 10_000  # bytes of a PNG; drawings of a few squares have less
SMALLEST = 8.3  # points: a little more than 11 pixels
PIXELS = 4 / 3  # of a point

COLOR = re.compile(r"#[0-9a-f]{6}\b")
DECIMALS = re.compile(r"-?\d+\.\d+")
POINTER = re.compile(r"(?<=^#)[\w-]+|(?<=url\(#)[\w-]+")
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def for_the_page(svg: str, kind: str) -> str:
    """Return a drawing of matplotlib as an element of the class ``kind``."""
    root = ElementTree.fromstring(svg)
    simplify(root)
    prefix = "p" + hashlib.sha256(f"{kind}{svg}".encode()).hexdigest()[:6]
    pointers = [
        (e, name) for e in root.iter() for name in ("href", "clip-path") if name in e.attrib
    ]
    names: dict[str, str] = {}
    for element, name in pointers:
        new = POINTER.sub(
            lambda old: names.setdefault(old[0], f"{prefix}-{len(names)}"), element.get(name)
        )
        element.set(name, new)
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own in names:
            element.set("id", names[own])
    width, height = map(float, root.get("viewBox").split()[2:])
    root.attrib = {
        "class": kind,
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width * PIXELS:.0f}",
        "height": f"{height * PIXELS:.0f}",
    }
    return re.sub(r"\s*\n\s*", "", ElementTree.tostring(root, encoding="unicode"))


def simplify(element: Any) -> None:
    """Give an element and what it holds the page's look, without groups that say nothing."""
    if element.tag == SVG + "g" and element.find(f"{SVG}text/{SVG}tspan") is not None:
        flow(element)
    element.tag = element.tag.removeprefix(SVG)
    if LINK in element.attrib:
        element.set("href", element.attrib.pop(LINK))
    if element.tag == "a":
        element.tag, element.attrib = "g", {"class": f"plot-{element.get('href')}"}
    if element.tag == "image":
        element.set("href", smaller(element.get("href")))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for name, value in element.attrib.items():
        if name == "style":
            element.set(name, short_style(value))
        elif name in ("d", "x", "y", "width", "height"):
            element.set(name, short_numbers(value))
    children = []
    for child in element:
        if child.tag in (SVG + "metadata", SVG + "style"):
            continue
        simplify(child)
        if child.tag == "g" and not child.attrib.keys() - {"id"}:
            children += list(child)
        elif child.tag != "defs" or len(child):
            children.append(child)
    element[:] = children


def smaller(address: str) -> str:
    """Return an image's data, those of a photograph without what no eye sees."""
    data = base64.b64decode(address.partition(",")[2])
    image = Image.open(BytesIO(data)).convert("RGBA")
    if len(data) < PHOTOGRAPH or image.getextrema()[3][0] < 255:
        return address
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def flow(group: Any) -> None:
    """Let a formula, in which every sign has a place of its own, flow as words do."""
    text = group.find(f"{SVG}text")
    signs = sorted(text, key=lambda sign: float(sign.get("x")))
    places = [float(sign.get("x")) for sign in signs]
    if group.find(f"{SVG}rect") is not None or min(np.diff(places), default=1) <= 0:
        return  # a fraction or a root
    size = float(re.search(r"font-size: ([\d.]+)px", signs[-1].get("style"))[1])
    text[:] = []
    text.set("text-anchor", "middle")
    text.set("x", f"{(places[0] + places[-1] + 0.6 * size) / 2:.1f}")
    level = 0.0
    for sign in signs:
        y, last = float(sign.attrib.pop("y")), text[-1] if len(text) else None
        del sign.attrib["x"]
        if last is not None and y == level and sign.get("style") == last.get("style"):
            last.text += sign.text
            continue
        if y != level:
            sign.set("dy", f"{y - level:.1f}")
        text.append(sign)
        level = y


def short_numbers(text: str) -> str:
    r"""Return coordinates in tenths of a point, without spaces that nobody needs.

    Examples
    --------
    >>> short_numbers("M 48.5251 266.04 \nL 48.5251 2.26 ")
    'M48.5 266L48.5 2.3'
    """
    text = DECIMALS.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text)
    return re.sub(r"\s*([A-Za-z]|$)\s*", r"\1", text)


def short_style(style: str) -> str:
    """Return a style in the page's colors, without a font but in a size that can be read.

    Examples
    --------
    >>> short_style("font-size: 7.35px; font-family: 'DejaVu Sans'; fill: #222222")
    'font-size:8.3px;fill:var(--book-ink,#222222)'
    """
    kept = []
    for name, value in (part.split(": ", 1) for part in style.split("; ") if part):
        if name == "font-family":
            continue
        if name == "font-size":
            value = f"{max(SMALLEST, float(value.removesuffix('px'))):g}px"
        kept.append(f"{name}:{COLOR.sub(lambda color: PAINTS.get(color[0], color[0]), value)}")
    return ";".join(kept)
