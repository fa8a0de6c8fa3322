"""How far each node of each case was from the float64 reference: the largest error, in the reference's unit.

Levels are log2 of power, and their largest errors are those of levels near the floor, where an LSB of the
band is a large part of it. Scores are sums of features that the firmware keeps in 8 bits.
"""

BOUNDS: dict[str, dict[str, float]] = {
    "watermark-detector": {
        "band_level": 1.96e-03,  # 0.5 LSB
        "slot_level": 1.61e-03,  # 3.29 LSB
        "feature": 6.26e-03,  # 0.601 LSB
        "score": 5.63e-02,  # 28.8 LSB
        "integrated": 5.63e-02,  # 28.8 LSB
    },
    "watermark-small": {
        "band_level": 1.96e-03,  # 0.5 LSB
        "slot_level": 1.48e-03,  # 3.03 LSB
        "feature": 5.48e-03,  # 0.525 LSB
        "score": 2.53e-01,  # 130 LSB
        "integrated": 2.09e-01,  # 107 LSB
    },
    "watermark-wide": {
        "band_level": 1.96e-03,  # 0.502 LSB
        "slot_level": 1.88e-03,  # 1.92 LSB
        "feature": 5.65e-03,  # 0.541 LSB
        "score": 1.98e-01,  # 101 LSB
        "integrated": 6.20e-01,  # 317 LSB
    },
}

# Beginnings of the kernels' names -> the node in which their error is seen.
PARTS = {
    "firmware_model.watermark.frontend.load_frame": "watermark-detector:band_level",
    "firmware_model.watermark.frontend.windowed_q30": "watermark-detector:band_level",
    "firmware_model.watermark.frontend.place_floor": "watermark-detector:band_level",
    "firmware_model.watermark.frontend.power": "watermark-detector:band_level",
    "firmware_model.watermark.frontend.loud_band_q24": "watermark-detector:band_level",
    "firmware_model.watermark.frontend.quiet_band_q24": "watermark-detector:band_level",
    "firmware_model.watermark.frontend.band_levels": "watermark-detector:slot_level",
    "firmware_model.watermark.frontend.update_levels": "watermark-detector:slot_level",
    "firmware_model.watermark.frontend.": "watermark-detector:feature",
    "firmware_model.watermark.correlator.integrate": "watermark-detector:integrated",
    "firmware_model.watermark.correlator.": "watermark-detector:score",
    "firmware_model.watermark.": "watermark-detector:integrated",
}
