"""References of recordings that come in pieces: the bits of the whole."""

import numpy as np
import pytest

from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.reference import processor, watermark
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig


@pytest.mark.parametrize("profile", ["smart-speaker", "conventional", "headset", "transparent"])
def test_the_processor_is_the_same_in_pieces(profile, rng):
    model = reference_model(load_profile(profile, 48000, 2))
    h = model.control_samples
    x = rng.uniform(-1, 1, (2, 2000 * h)) * np.linspace(0.01, 1, 2000 * h)
    whole = processor.process(x, model)
    pieces = processor.Processor(model)
    parts = [pieces.push(piece) for piece in np.split(x, [h, 3 * h, 700 * h, 701 * h], axis=1)]
    for exact, *got in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(np.concatenate(got, axis=-1), exact)


@pytest.mark.parametrize("sizes", [[1, 511, 512, 400_000], [250_000, 600_001]])
def test_the_detector_is_the_same_in_pieces(sizes, rng):
    config = WatermarkConfig()
    keys = [Key(bytes([i, 7])) for i in range(2)]
    signs = np.stack([key.signs(config.max_marks, config.slots, config.bands) for key in keys])
    # Blocks that come and go raise scores, of both keys.
    x = 0.1 * rng.standard_normal(700_000) * np.repeat(rng.uniform(0, 1, 70), 10_000)
    model = watermark.WatermarkModel(threshold=2.0)
    whole = watermark.detect(x, signs, model)
    detector = watermark.Detector(signs, model)
    parts = [detector.push(piece) for piece in np.split(x, sizes)]
    got = watermark.joined([*parts, detector.finish()])
    assert got.detections == whole.detections
    assert len(got.detections) > 10
    np.testing.assert_array_equal(got.scores, whole.scores)
    np.testing.assert_array_equal(got.integrated, whole.integrated)
