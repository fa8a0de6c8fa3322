"""How far each node of each case was from the float64 reference: the largest error, in the reference's unit.

Levels are log2 of power, and their largest errors are those of levels near the floor, where an LSB of the
band is a large part of it.
"""

BOUNDS: dict[str, dict[str, float]] = {
    "mbdp-smart-speaker": {
        "band": 3.21e-07,  # 43 LSB
        "level": 6.38e-02,  # 1.07e+06 LSB
        "gain": 3.26e-06,  # 436 LSB
        "band_attenuation": 5.71e-07,  # 1.23e+03 LSB
        "limited": 8.74e-07,  # 117 LSB
        "bus": 9.01e-07,  # 121 LSB
        "attenuation": 2.5e-07,  # 535 LSB
        "output": 1.58e-05,  # 0.516 LSB
    },
    "mbdp-conventional": {
        "band": 7.97e-08,  # 10.7 LSB
        "level": 1.01e-02,  # 1.68e+05 LSB
        "gain": 1.71e-07,  # 22.9 LSB
        "band_attenuation": 0.0,  # 0 LSB
        "limited": 1.47e-07,  # 19.7 LSB
        "bus": 2.01e-07,  # 26.9 LSB
        "attenuation": 4.44e-08,  # 95.3 LSB
        "output": 1.54e-05,  # 0.503 LSB
    },
    "mbdp-headset": {
        "band": 4.84e-08,  # 6.49 LSB
        "level": 3.39e-02,  # 5.68e+05 LSB
        "gain": 1.89e-07,  # 25.3 LSB
        "band_attenuation": 0.0,  # 0 LSB
        "limited": 6.47e-08,  # 8.68 LSB
        "bus": 8.65e-08,  # 11.6 LSB
        "attenuation": 0.0,  # 0 LSB
        "output": 1.54e-05,  # 0.503 LSB
    },
    "mbdp-six-bands": {
        "band": 2.50e-06,  # 334 LSB
        "level": 4.39e-02,  # 7.36e+05 LSB
        "gain": 2.40e-06,  # 322 LSB
        "band_attenuation": 2.06e-07,  # 442 LSB
        "limited": 5.95e-07,  # 79.8 LSB
        "bus": 1.01e-06,  # 135 LSB
        "attenuation": 3.49e-07,  # 748 LSB
        "output": 1.62e-05,  # 0.529 LSB
    },
    "mbdp-smart-speaker-extremes": {
        "band": 4.09e-07,  # 54.8 LSB
        "level": 7.66e-03,  # 1.28e+05 LSB
        "gain": 1.80e-06,  # 240 LSB
        "band_attenuation": 1.29e-07,  # 276 LSB
        "limited": 5.18e-07,  # 69.4 LSB
        "bus": 5.36e-07,  # 71.9 LSB
        "attenuation": 4.88e-08,  # 105 LSB
        "output": 1.57e-05,  # 0.512 LSB
    },
    "mbdp-headset-extremes": {
        "band": 7.58e-08,  # 10.2 LSB
        "level": 1.55e-03,  # 2.59e+04 LSB
        "gain": 3.24e-07,  # 43.4 LSB
        "band_attenuation": 4.91e-08,  # 105 LSB
        "limited": 9.92e-08,  # 13.3 LSB
        "bus": 1.57e-07,  # 21 LSB
        "attenuation": 6.33e-08,  # 136 LSB
        "output": 1.53e-05,  # 0.501 LSB
    },
    "mbdp-rails": {
        "band": 1.44e-07,  # 19.3 LSB
        "level": 5.05e-02,  # 8.47e+05 LSB
        "gain": 1.11e-06,  # 149 LSB
        "band_attenuation": 1.21e-07,  # 260 LSB
        "limited": 2.25e-06,  # 301 LSB
        "bus": 2.36e-06,  # 316 LSB
        "attenuation": 1.45e-07,  # 309 LSB
        "output": 1.58e-05,  # 0.515 LSB
    },
}

# Beginnings of the kernels' names -> the node in which their error is seen.
PARTS = {
    "fixedpoint.filters.biquad.svf": "mbdp-smart-speaker:band",
    "firmware_model.dynamics.crossover.": "mbdp-smart-speaker:band",
    "firmware_model.dynamics.level.": "mbdp-smart-speaker:level",
    "firmware_model.dynamics.gain_computer.": "mbdp-smart-speaker:gain",
    "firmware_model.dynamics.compressor.": "mbdp-smart-speaker:gain",
    "firmware_model.dynamics.limiter.": "mbdp-smart-speaker:attenuation",
    "firmware_model.dynamics.": "mbdp-smart-speaker:output",
    "firmware_model.dynamics.change.": "",  # no case changes its settings while it runs
}
