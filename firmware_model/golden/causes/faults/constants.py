"""What a constant may have been mistaken for."""

_MOST_BITS = 62


def mistakes(value: int, is_shift: bool) -> list[int]:
    """Other values that one slip makes of a constant: a bit, a digit, the sign, none at all; nearest first.

    is_shift : whether it says by how many bits something is shifted
    """
    found = {0, -value, value - 1, value + 1, value >> 1, value << 1, *_of_bits(value)}
    if is_shift:
        found |= {value - 2, value + 2}
    digits = str(abs(value))
    found |= {int(text) if value >= 0 else -int(text) for text in _of_digits(digits)}
    found.discard(value)
    if is_shift:
        inside = (other for other in found if 0 <= other <= _MOST_BITS)
    else:
        inside = (other for other in found if abs(other) < 1 << _MOST_BITS)
    return sorted(inside, key=lambda other: (abs(other - value), other))


def _of_bits(value: int) -> set[int]:
    return {value ^ (1 << bit) for bit in range(max(16, value.bit_length() + 1))}


def _of_digits(digits: str) -> set[str]:
    found = set()
    for k, digit in enumerate(digits):
        found |= {digits[:k] + other + digits[k + 1 :] for other in "0123456789"}
        found.add(digits[:k] + digits[k + 1 :] or "0")
        if k + 1 < len(digits):
            found.add(digits[:k] + digits[k + 1] + digit + digits[k + 2 :])
    return found
