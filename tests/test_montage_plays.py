"""A montage in a real browser: played to its end with sound, and not one picture damaged."""

from __future__ import annotations

from pathlib import Path

from support import render_scene
from support.browser import Reader, browser, reader
from support.render_scene import Drawn

__all__ = ["browser", "reader"]  # fixtures

_PLAY = """() => new Promise((done, failed) => {
    const film = document.getElementById("film");
    film.addEventListener("ended", () => {
        const seen = film.getVideoPlaybackQuality();
        done({at: film.currentTime, length: film.duration, frames: seen.totalVideoFrames,
              corrupted: seen.corruptedVideoFrames, sound: film.webkitAudioDecodedByteCount});
    });
    film.addEventListener("error", () => failed(film.error.message));
    film.playbackRate = 2;
    film.play().catch(failed);
})"""


def test_a_montage_with_crossfades_plays_to_its_end(tmp_path: Path, reader: Reader) -> None:
    clips = {f"clip {n}": Drawn(n % 4, 12 + n % 5, 300 + 40 * n) for n in range(12)}
    scene = render_scene.begin(
        tmp_path, clips, 'transition_seconds = 0.15\nopening_card = ""\nclosing_card = false\n'
    )
    told = scene.render()
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><video id="film" src="{scene.film.as_uri()}"></video>')
    tab, watch = reader.open(page)
    played = tab.evaluate(_PLAY)
    assert abs(played["at"] - told["duration_s"]) < 0.05
    assert abs(played["length"] - told["duration_s"]) < 0.05
    assert played["corrupted"] == 0
    assert played["frames"] == told["frames"]
    assert played["sound"] > 0
    assert watch.errors == []
