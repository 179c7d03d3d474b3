"""tlae site out=FOLDER [view=carpark] [days=14] [test_days=0] [every_minutes=15] [seed=0].

Draws weeks of stills of one fixed camera, by day and by night, in all weathers: a car park or a
garden (view=garden). <out>/Train holds normal days alone. With test_days=3, <out>/Test/clean holds
the three days after them, <out>/Test/planted the same days with things that do not belong there,
with exact masks and labels; things.csv tells of each thing. The same settings give the same bytes.
"""

from pathlib import Path

from tlae.lab.settings import SiteConfig
from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.writer import write_site
from tlae.number_words import how_many
from tlae.schema import part_of


def run(cfg: SiteConfig) -> None:
    """Settings in, stills of a site out."""
    options = part_of(cfg, SiteOptions)
    site = write_site(Path(cfg.out), options)
    print(site.folder)
    print(f"  Train  {_length(options.days, options)}")
    if options.test_days:
        print(f"  Test   {_length(options.test_days, options)}, clean and planted")
        kinds = ", ".join(f"{kind} {count}" for kind, count in site.things.items()) or "none"
        asked, found = round(options.things_a_day * options.test_days), sum(site.things.values())
        short = f" ({asked - found} of {asked} found no place in view)" if found < asked else ""
        print(f"  things {kinds}{short}")


def _length(days: int, options: SiteOptions) -> str:
    return f"{how_many(days, 'day')}, {how_many(days * options.frames_a_day, 'still')}"
