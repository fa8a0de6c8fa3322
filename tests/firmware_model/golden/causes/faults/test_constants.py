"""What a constant may be mistaken for."""

from firmware_model.golden.causes.faults.constants import mistakes


def test_a_bit_a_digit_the_sign_and_nothing_at_all():
    found = mistakes(1602, is_shift=False)
    assert found[:2] == [1601, 1603]  # the nearest first
    assert {0, -1602, 1602 ^ 64, 1612, 1502, 160, 6102, 1620, 801, 3204} <= set(found)
    assert 1602 not in found
    assert len(found) == len(set(found))


def test_of_a_negative_constant_the_digits_change_and_the_sign_stays():
    assert {-84, -93, -38, 83, 0} <= set(mistakes(-83, is_shift=False))


def test_a_shift_stays_one():
    assert {26, 27, 29, 30, 18, 2, 8, 12} <= set(mistakes(28, is_shift=True))
    assert all(0 <= other <= 62 for other in mistakes(28, is_shift=True))
