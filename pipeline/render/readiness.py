"""Check before the night that the montage can be made: its cards, its music, its order file."""

from pipeline import clip_order
from pipeline.config import Config
from pipeline.render import cards, lettering, music, timeline
from pipeline.wording import counted


def check(config: Config) -> str:
    """Draw every card, and open the files that the configuration names.

    :returns: what was found, for people.
    :raises ConfigError: a file can't be read, or a character of a card has no glyph.
    """
    style = lettering.card_style(config)
    chapters = [cards.chapter(category.name) for category in config.campaign.category]
    said = [cards.opening(config), cards.closing(config)]
    said += chapters if config.montage.chapter_cards else []
    drawn = [words for words in said if words]
    for output in config.output:
        for words in drawn:
            lettering.letters(words, output, style)
    # without any card, "0 cards can be drawn" would read like a fault
    found = [f"{counted(len(drawn), 'card')} can be drawn" if drawn else "no cards are wanted"]
    if config.montage.music:
        found.append(f"music: {music.source(config)}")
    if path := clip_order.path_of(config):
        found.append(f"order file: {counted(len(timeline.order_file(path).lines), 'clip')}")
    return "; ".join(found)
