"""A clip is as long as what a player shows; pictures and sound stay together, whatever the clock.

Flash and beep mark the same moment; tones mark which part of the sound is heard.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.clip_scene import Clip, ClipScene

from pipeline.caution import Caution
from pipeline.config import Output
from pipeline.model import Reason

SMALL = Output(name="small", size="96x64", fps=30, quality="draft")
QUICK = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p")
RATE = 48000


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(SMALL)


def marks(
    seconds: float, at: tuple[float, ...], pitch: int = 500, size: str = "96x64"
) -> list[str]:
    """FFmpeg's inputs for a film: a white flash and a beep of 0.1 s at each moment."""
    shown = "+".join(f"between(t,{moment - 0.001},{moment + 0.099})" for moment in at) or "0"
    picture = f"color=c=gray:s={size}:r=30:d={seconds},drawbox=c=white:t=fill:enable='{shown}'"
    wave = f"0.02*random(0)+0.5*({shown})*sin(2*PI*{pitch}*t)"
    sound = f"aevalsrc='{wave}':s={RATE}:d={seconds}"
    return ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]


def part(scene: ClipScene, name: str, seconds: float, pitch: int) -> Path:
    """A transport stream with flash and beep in its middle."""
    middle = (round(seconds * 15) / 30,)
    return scene.film(name, *marks(seconds, middle, pitch), *QUICK, "-c:a", "aac")


def flashes(clip: Clip) -> list[float]:
    light = np.array([picture[:32].mean() for picture in clip.pictures])
    return [float(at) / 30 for at in np.flatnonzero((light[1:] > 190) & (light[:-1] <= 190)) + 1]


def beeps(clip: Clip) -> list[float]:
    pieces = clip.sound()[:, 0]
    loud = np.sqrt((pieces[: len(pieces) // 240 * 240].reshape(-1, 240) ** 2).mean(1))
    on = loud > loud.max() * 0.4
    starts = np.flatnonzero(on & ~np.concatenate(([False], on[:-1])))
    return [float(at) * 240 / RATE for at in starts if not on[max(0, at - 6) : at].any()]


def in_sync(clip: Clip, moments: list[float]) -> None:
    seen, heard = flashes(clip), beeps(clip)
    assert len(seen) == len(heard) == len(moments), (seen, heard)
    assert np.abs(np.subtract(seen, moments)).max() <= 0.07, seen
    assert np.abs(np.subtract(seen, heard)).max() <= 0.034, (seen, heard)


def share(sound: NDArray[np.float64], pitch: int) -> float:
    """How much of the sound's energy is near a pitch."""
    energy = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / RATE) - pitch) < 25
    return float(energy[near].sum() / energy.sum())


def seconds(clip: Clip) -> float:
    frames = clip.result.outputs[0].frames
    assert len(clip.sound()) == frames * RATE // 30
    return frames / 30


def test_the_last_picture_stays_while_sound_goes_on(scene: ClipScene) -> None:
    film = scene.film(
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=0.5"),
        *("-f", "lavfi", "-i", "sine=700:d=3"),
        *(*QUICK, "-c:a", "aac"),
    )
    clip = scene.clip(film)
    assert seconds(clip) == pytest.approx(3, abs=0.06)
    assert share(clip.sound()[RATE * 5 // 2 :], 700) > 0.8
    assert clip.result.warnings.count(Caution.FROZEN) == 1
    last = [picture.astype(int) for picture in clip.pictures[14:]]
    assert max(np.abs(picture - last[0]).mean() for picture in last) < 6


def test_a_picture_with_a_voice(scene: ClipScene) -> None:
    film = scene.film(
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=0.03", "-f", "lavfi", "-i", "sine=700:d=1"),
        *(*QUICK, "-c:a", "aac"),
    )
    clip = scene.clip(film)
    assert seconds(clip) == pytest.approx(1, abs=0.06)
    assert share(clip.sound(), 700) > 0.8


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_streams_that_were_joined(scene: ClipScene, suffix: str) -> None:
    codec = QUICK if suffix == "ts" else ("-c:v", "mpeg2video", "-q:v", "3")
    sound = "aac" if suffix == "ts" else "mp2"
    parts = [
        scene.film(f"{n}.{suffix}", *marks(length, (0.5,), 400), *codec, "-c:a", sound)
        for n, length in enumerate((1.5, 1.2, 2.0))
    ]
    film = scene.folder / f"film.{suffix}"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = scene.clip(film)
    assert seconds(clip) == pytest.approx(4.7, abs=0.2)
    in_sync(clip, [0.5, 2.0, 3.2])


@pytest.mark.parametrize("jump", [5, 3600, 95443 - 2])  # the last: 33 bits of a clock end
def test_a_clock_that_jumps_or_wraps(scene: ClipScene, jump: int) -> None:
    first = scene.film("1.ts", *marks(1.5, (0.5,)), *QUICK, "-c:a", "aac")
    late = scene.film(
        *("2.ts", "-copyts", "-i", str(first), "-c", "copy"),
        *("-output_ts_offset", str(jump), "-muxdelay", "0"),
    )
    film = scene.folder / "film.ts"
    film.write_bytes(first.read_bytes() + late.read_bytes())
    clip = scene.clip(film)
    assert seconds(clip) == pytest.approx(3, abs=0.15)
    in_sync(clip, [0.5, 2.0])


def test_short_gaps_in_the_sound_are_kept(scene: ClipScene) -> None:
    film = scene.film(
        "film.mkv",
        *(*marks(2.4, (0.6, 1.2, 1.8)), *QUICK, "-c:a", "libopus"),
        *(
            "-bsf:a",
            "noise=drop='between(pts*tb,0.3,0.35)+between(pts*tb,0.9,0.95)+between(pts*tb,1.5,1.55)'",
        ),
    )
    in_sync(scene.clip(film), [0.6, 1.2, 1.8])


def test_a_size_that_changes_is_fitted_anew(scene: ClipScene) -> None:
    painted = "color=c=blue:s={0},drawbox=c=red:t=fill:x=iw/2-20:y=ih/2-20:w=40:h=40,trim=end=0.5"
    parts = [
        scene.film(f"{n}.ts", "-f", "lavfi", "-i", painted.format(size), *QUICK)
        for n, size in enumerate(("160x90", "90x160"))
    ]
    film = scene.folder / "film.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    wide = Output(name="wide", size="320x180", fps=30, quality="draft")
    crop = Output(name="crop", size="160x160", fps=30, quality="draft", fit="crop")
    clips = scene.to(wide, crop).clips(film)
    result = clips["wide"].result
    assert Caution.SIZE_CHANGES in result.warnings
    for clip, sides in ((clips["wide"], (80, 45)), (clips["crop"], (71, 71))):
        for picture, side in zip((clip.pictures[5], clip.pictures[-5]), sides, strict=True):
            red = (picture[:, :, 0] > 225) & (picture[:, :, 2] < 60)
            rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
            assert len(rows) == pytest.approx(side, abs=4)
            assert len(columns) == pytest.approx(side, abs=4)


@pytest.mark.parametrize("degrees", ["90", "180", "270"])
def test_a_size_that_changes_in_a_film_that_is_turned(scene: ClipScene, degrees: str) -> None:
    """Each part looks as it does in a film of its own."""
    wide = Output(name="wide", size="160x90", fps=30, quality="draft")
    turned, parts = ("-display_rotation", degrees), []
    for n, size in enumerate(("160x90", "90x160")):
        painted = f"color=c=blue:s={size},drawbox=c=red:t=fill:w=iw/2:h=ih/3,trim=end=0.5"
        parts.append(scene.film(f"{n}.ts", "-f", "lavfi", "-i", painted, *QUICK))
    both = scene.folder / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    one, other, all_ = (
        scene.to(wide).clip(scene.film(f"{path.stem}.mkv", *turned, "-i", str(path), "-c", "copy"))
        for path in (*parts, both)
    )
    for seen, right in ((all_.pictures[5], one), (all_.pictures[-5], other)):
        assert np.abs(seen.astype(float) - right.pictures[5]).mean() < 8


def test_a_size_that_changes_between_fields(scene: ClipScene) -> None:
    """Interlaced pictures, in parts that are shorter than the clock is far."""
    parts = [
        scene.film(
            *(f"{n}.ts", "-f", "lavfi", "-i", f"testsrc=s={size}:r=50:d=0.6,interlace"),
            *("-c:v", "mpeg2video", "-flags", "+ildct+ilme"),
        )
        for n, size in enumerate(("160x90", "90x160", "176x144"))
    ]
    film = scene.folder / "film.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = scene.clip(film)
    assert clip.result.outputs[0].duration_s == pytest.approx(1.8, abs=0.1)
    assert Caution.SIZE_CHANGES in clip.result.warnings


def test_sound_that_changes_in_the_middle(scene: ClipScene) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=1", "-f", "lavfi", "-i")
    parts = [
        scene.film(
            *(f"{n}.ts", *picture, f"sine={pitch}:d=1:r={rate}", *QUICK),
            *("-c:a", "aac", "-ar", str(rate), "-ac", str(channels)),
        )
        for n, (pitch, rate, channels) in enumerate(((500, 48000, 1), (900, 44100, 2)))
    ]
    film = scene.folder / "film.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = scene.clip(film)
    assert seconds(clip) == pytest.approx(2, abs=0.15)
    assert share(clip.sound()[: RATE * 9 // 10], 500) > 0.8
    assert share(clip.sound()[RATE * 23 // 20 : RATE * 19 // 10], 900) > 0.8
    assert Caution.SOUND_CHANGES in clip.result.warnings


def test_the_default_track_or_the_first_that_is_heard(scene: ClipScene) -> None:
    inputs = ["-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=1"]
    for tone in ("sine=300:d=1", "anullsrc=d=1", "sine=1000:d=1"):
        inputs += ["-f", "lavfi", "-i", tone]
    tracks = [word for track in range(4) for word in ("-map", str(track))]
    for default, pitch in ((0, 300), (1, 300), (2, 1000)):
        film = scene.film(
            *(f"{default}.mp4", *inputs, *tracks, *QUICK, "-c:a", "aac", "-t", "1"),
            *("-disposition:a", "0", f"-disposition:a:{default}", "default"),
        )
        clip = scene.clip(film)
        assert share(clip.sound(), pitch) > 0.8
        assert Caution.SILENT not in clip.result.warnings


def test_numbers_that_are_none_become_silence(scene: ClipScene) -> None:
    expression = "if(between(t,0.4,0.5),0/0,0.3*sin(2*PI*500*t))"
    film = scene.film(
        "film.mov",
        *("-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=1"),
        *("-f", "lavfi", "-i", f"aevalsrc='{expression}':s={RATE}:d=1"),
        *(*QUICK, "-c:a", "pcm_f32le"),
    )
    clip = scene.clip(film)
    assert Caution.BROKEN_SOUND in clip.result.warnings
    assert np.isfinite(clip.sound()).all()
    assert share(clip.sound()[: RATE * 3 // 10], 500) > 0.8
    assert share(clip.sound()[RATE * 6 // 10 :], 500) > 0.8


def test_sound_that_cannot_be_decoded_costs_no_picture(scene: ClipScene) -> None:
    film = scene.film(
        "film.mp4",
        *(*marks(1, (0.5,)), *QUICK, "-c:a", "aac", "-bsf:a", "noise=amount=1"),
    )
    clip = scene.clip(film)
    assert seconds(clip) == pytest.approx(1, abs=0.06)
    assert flashes(clip) == [pytest.approx(0.5, abs=0.04)]
    assert Caution.BROKEN_SOUND in clip.result.warnings


@pytest.mark.parametrize("layout", ["ambisonic 1", "16c"])
def test_channels_without_a_place_are_heard(scene: ClipScene, layout: str) -> None:
    count = 4 if layout != "16c" else 16
    tones = "|".join(["0.3*sin(2*PI*500*t)"] * count)
    codec = ("libopus", "-mapping_family", "2") if count == 4 else ("pcm_s16le",)
    film = scene.film(
        "film.mkv",
        *("-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=1"),
        *("-f", "lavfi", "-i", f"aevalsrc='{tones}':s={RATE}:d=1:c={layout}"),
        *(*QUICK, "-c:a", *codec),
    )
    clip = scene.clip(film)
    assert share(clip.sound(), 500) > 0.8


def test_sound_alone_is_no_video(scene: ClipScene) -> None:
    names = {"a.mp4": "aac", "a.mkv": "libopus", "a.ts": "aac", "a.ogg": "libopus"}
    for name, codec in names.items():
        film = scene.film(name, "-f", "lavfi", "-i", "sine=d=1", "-c:a", codec)
        refusal = scene.make(film).refusal
        assert refusal is not None
        assert refusal.reason is Reason.NO_VIDEO


def test_codecs_have_their_own_names(scene: ClipScene) -> None:
    """Not those of the decoders that happen to be built in."""
    film = scene.film(
        *("film.mkv", "-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=0.2", "-f", "lavfi"),
        *("-i", "sine=d=0.2", "-c:v", "libaom-av1", "-cpu-used", "8", "-c:a", "libmp3lame"),
    )
    source = scene.make(film).source
    assert source is not None
    assert (source.video_codec, source.audio_codec) == ("av1", "mp3")


def test_a_common_encryption_is_named(scene: ClipScene) -> None:
    film = scene.film(
        *("film.mp4", "-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=0.5", *QUICK),
        *("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16),
        *("-encryption_kid", "a7" * 16),
    )
    refusal = scene.make(film).refusal
    assert refusal is not None
    assert refusal.reason is Reason.ENCRYPTED


def test_a_film_is_cropped_as_its_container_says(scene: ClipScene) -> None:
    painted = "color=c=red:s=160x80:r=30:d=0.3,drawbox=c=blue:t=fill:x=40:w=80"
    film = scene.film("film.mkv", "-f", "lavfi", "-i", painted, *QUICK)
    data = film.read_bytes()
    # FlagInterlaced and Colour become PixelCropLeft and PixelCropRight of 40, and a void element
    old, new = "9a810255b08455b98101", "54cc812854dd8128ec80"
    assert bytes.fromhex(old) in data
    data = data.replace(bytes.fromhex(old), bytes.fromhex(new))
    film.write_bytes(data)
    clip = scene.clip(film)
    picture = clip.pictures[3].astype(int)
    assert clip.result.source is not None
    assert (clip.result.source.width, clip.result.source.height) == (80, 80)
    blue = (picture[:, :, 2] > 180) & (picture[:, :, 0] < 90)
    assert blue[:, 20:76].all()
