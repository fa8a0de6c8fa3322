import dataclasses
import hashlib
import math

import numpy as np
import pytest
import soundfile

from acoustic_sim.placement import MIN_DISTANCE_M, place, room_size_for
from acoustic_sim.scene import (
    NAMED_SCENES,
    Ambient,
    Loudspeaker,
    MeasuredRoom,
    Microphone,
    Scene,
    Shoebox,
    build_scene,
    content_hash,
)
from fixedpoint.errors import AudioError, ConfigError


def test_content_hash_is_sha256_of_the_canonical_json_written_by_hand():
    text = '{"Ambient":{"kind":"fan","path":null,"snr_db":15.0}}'
    assert content_hash(Ambient("fan", snr_db=15)) == hashlib.sha256(text.encode()).hexdigest()


def test_content_hash_takes_8_and_8_0_and_numpy_8_as_one():
    hashes = {build_scene(d, 0.5, 15).content_hash() for d in (8, 8.0, np.float64(8), np.int64(8))}
    assert len(hashes) == 1


def test_content_hash_moves_with_every_field_of_a_scene():
    base = build_scene(8, 0.5, 15)
    variants = [
        dataclasses.replace(base, **{part: dataclasses.replace(getattr(base, part), **{name: value})})
        for part, name, value in [
            ("loudspeaker", "low_cut_hz", 121.0),
            ("loudspeaker", "high_cut_hz", 7000.0),
            ("loudspeaker", "order", 3),
            ("loudspeaker", "gain_db", 1.0),
            ("loudspeaker", "clip_dbfs", -1.0),
            ("loudspeaker", "nonlinearity", 0.0),
            ("room", "rt60_s", 0.51),
            ("room", "size_m", (11.0, 7.0, 3.0)),
            ("room", "max_order", 30),
            ("room", "ray_tracing", True),
            ("room", "seed", 1),
            ("ambient", "kind", "fan"),
            ("ambient", "snr_db", None),
            ("microphone", "fs_hz", 48000),
            ("microphone", "gain_db", 0.0),
            ("microphone", "peak_dbfs", -6.0),
            ("microphone", "self_noise_dbfs", None),
            ("microphone", "clip_dbfs", -1.0),
            ("microphone", "drift_ppm", 1.0),
            ("microphone", "bits", 12),
        ]
    ]
    variants += [dataclasses.replace(base, distance_m=7.9), dataclasses.replace(base, seed=1)]
    assert len({scene.content_hash() for scene in [base, *variants]}) == 1 + len(variants)


def test_content_hash_of_a_measured_room_follows_the_content_not_the_name(tmp_path):
    h = np.array([0.5, 0.25, 0.0, -0.125])
    for name, response in (("a.wav", h), ("b.wav", h), ("c.wav", -h)):
        soundfile.write(tmp_path / name, response, 16000)
    a, b, c = (content_hash(MeasuredRoom(tmp_path / name, 3.0)) for name in ("a.wav", "b.wav", "c.wav"))
    assert a == b != c


@pytest.mark.parametrize("name", NAMED_SCENES)
def test_named_scenes_lie_beyond_20_ft(name):
    scene = NAMED_SCENES[name]
    assert scene.distance_m > 6.1
    assert f"{scene.distance_m:g}m" in name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Loudspeaker(low_cut_hz=5), "low_cut_hz=5: must be in [20, 20000] or None"),
        (
            lambda: Loudspeaker(low_cut_hz=300.0, high_cut_hz=200.0),
            "low_cut_hz=300.0: must be below high_cut_hz",
        ),
        (lambda: Loudspeaker(order=0), "order=0: must be an integer in [1, 8]"),
        (lambda: Loudspeaker(gain_db=math.nan), "gain_db=nan: must be in [-60, 40]"),
        (lambda: Loudspeaker(nonlinearity=True), "nonlinearity=True: must be in [0, 0.5]"),
        (lambda: Shoebox((5, 4), 0.5), "size_m=(5, 4): must be a tuple (length, width, height)"),
        (lambda: Shoebox((5, 4, 1), 0.5), "size_m=1: must be three sides, each in [1.8, 100]"),
        (lambda: Shoebox((5, 4, 3), 0), "rt60_s=0: must be in [0.05, 10] seconds"),
        (lambda: Shoebox((5, 4, 3), 0.5, max_order=101), "max_order=101: must be an integer in [1, 100]"),
        (lambda: Ambient("pub"), "kind='pub': must be one of white, pink, cafe, fan"),
        (lambda: Ambient(snr_db="15"), "snr_db='15': must be in [-40, 120] or None"),
        (lambda: Microphone(fs_hz=16000.0), "fs_hz=16000.0: must be an integer in [8000, 48000]"),
        (lambda: Microphone(drift_ppm=2000), "drift_ppm=2000: must be in [-1000, 1000]"),
        (lambda: Microphone(bits=24), "bits=24: must be an integer in [8, 16]"),
        (lambda: Scene("hall", 8), "room='hall': must be a Shoebox or MeasuredRoom"),
        (lambda: Scene(Shoebox((5, 4, 3), 0.5)), "distance_m=None: must be in [0.3, 100] metres"),
        (lambda: build_scene(), "distance_m=None: must be in [0.3, 30] metres"),
        (lambda: build_scene(8, 0.5, 15, seed=-1), "seed=-1: must be an integer in [0, 2147483647]"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_was_found_and_what_is_accepted(make, message):
    with pytest.raises(ConfigError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MeasuredRoom("no/such.wav"),
        lambda: Ambient(path="no/such.wav"),
        lambda: build_scene(8, ambient="no/such.wav"),
        lambda: build_scene(rir="no/such.wav"),
    ],
)
def test_a_missing_file_is_named(make):
    with pytest.raises(AudioError, match=r"no/such\.wav"):
        make()


def test_a_measured_room_gives_the_scene_its_distance_and_refuses_another(tmp_path):
    soundfile.write(tmp_path / "h.wav", np.array([0.5, 0.25]), 16000)
    room = MeasuredRoom(tmp_path / "h.wav", 7.8)
    assert Scene(room).distance_m == 7.8
    with pytest.raises(ConfigError, match=r"distance_m=8.0: must be the measured room's, 7.8"):
        Scene(room, 8.0)


def test_place_by_hand_in_a_room_of_10_by_5():
    """Loudspeaker (0.55, 0.36 * 5, 0.95). A run of 4 m at bearing 0.15: dy = 0.6, dx = sqrt(16 - 0.36)."""
    distance_m = math.hypot(4.0, 0.2)
    loudspeaker_m, microphone_m = place((10.0, 5.0, 2.7), distance_m)
    # 1.8 + 0.6 = 2.4 is 0.1 m from the centre line, which is still far enough
    assert loudspeaker_m == pytest.approx((0.55, 1.8, 0.95))
    assert microphone_m == pytest.approx((0.55 + math.sqrt(15.64), 2.4, 1.15))


@pytest.mark.parametrize("distance_m", [MIN_DISTANCE_M, 0.7, 1, 2.3, 5, 6.5, 8, 13, 30, 80])
def test_place_is_exact_inside_and_off_the_planes_of_symmetry(distance_m):
    size = room_size_for(distance_m)
    for sides in (size, (size[1], size[0], size[2])):
        points = np.array(place(sides, distance_m))
        assert np.linalg.norm(points[0] - points[1]) == pytest.approx(distance_m, abs=1e-9)
        assert (points > 0.3).all()
        assert (points < np.array(sides) - 0.3).all()
        assert (np.abs(points[:, :2] - np.array(sides[:2]) / 2) > 0.02).all()


def test_place_uses_the_diagonal_and_then_names_the_largest_distance():
    place((6.0, 5.0, 2.7), 5.6)  # 5.0 m are free along the room
    with pytest.raises(
        ConfigError, match=r"distance_m=8: must be in \[0.3, 5.70\] in a room of 6 x 5 x 2.7 m"
    ):
        place((6.0, 5.0, 2.7), 8)
    place((6.0, 5.0, 2.7), 5.70)
