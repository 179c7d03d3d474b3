"""Every colour of pages, charts and pictures with its meaning; the only home of each.

Red is alarm, or what people labelled anomalous. Amber is the alarm threshold and what is over it
without an alarm. Blue is what is normal or chosen. Violet is trouble of the camera.
"""

Colour = tuple[int, int, int]

# Of pages and charts: on the light ground, on the dark one. Texts reach a contrast of 4.5 (WCAG AA)
# on both grounds and bands; a test holds them to it.
TEXTS = {
    "ink": ("#22262c", "#e7e9ec"),
    "faint": ("#5c636d", "#9aa2ad"),
    "alarm": ("#c62b22", "#ff6b5e"),
    "amber": ("#8a5a00", "#f0b040"),
    "accent": ("#1f5fbf", "#7db0ff"),
    "camera": ("#7a4fbf", "#b79bf0"),
}
GROUNDS = {"ground": ("#ffffff", "#15181c"), "band": ("#f4f6f8", "#1e2328")}
LINES = {"line": ("#dfe3e8", "#333941")}
_CURVES = {
    "curve-1": ("#1e5ebe", "#7cafff"),
    "curve-2": ("#c25f00", "#f29a4a"),
    "curve-3": ("#794ebe", "#b69aef"),
    "curve-4": ("#14807a", "#45c4b6"),
    "curve-5": ("#c23b75", "#f07aa8"),
    "curve-6": ("#6c7130", "#b8be63"),
    "curve-7": ("#5b6470", "#a9b2bf"),
    "curve-8": ("#946c2c", "#d6b27a"),
}
PAGE = TEXTS | GROUNDS | LINES | _CURVES
CURVES = tuple(light for light, _ in _CURVES.values())  # of charts

# In pictures, on plates and strips: RGB.
INK: Colour = (238, 240, 242)
FAINT: Colour = (150, 155, 163)
DARK: Colour = (20, 22, 26)  # ground of strips, headings and plates
ALARM: Colour = (222, 52, 44)
AMBER: Colour = (255, 190, 64)  # over the threshold, but no alarm
LABELLED: Colour = (238, 130, 255)  # outlines of what people marked as anomalous
NORMAL: Colour = (125, 176, 255)
ZONE: Colour = (96, 190, 255)  # outlines of what is watched on its own

# Heat from 0 to 1 in even steps, rising in lightness: also read by the colour-blind.
HEAT: tuple[Colour, ...] = (
    (96, 0, 16),
    (168, 18, 24),
    (222, 64, 24),
    (248, 142, 28),
    (255, 222, 84),
)


def on_light(name: str) -> str:
    """Colour of ``PAGE`` on a light ground, as in files that stand alone: ``#rrggbb``."""
    return PAGE[name][0]


def page_style() -> str:
    """The custom properties of CSS that all pages share, for light and dark."""
    light, dark = (
        " ".join(f"--{name}: {both[side]};" for name, both in PAGE.items()) for side in (0, 1)
    )
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def themed(svg: str) -> str:
    """A chart whose colours follow the page that it stands in, from one that stands alone."""
    for name, (light, _) in PAGE.items():
        svg = svg.replace(light, f"var(--{name})")
    return svg
