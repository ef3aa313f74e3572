"""CRC-64/NVME of large bodies in plain Python, about ten times faster than byte by byte.

A CRC is the remainder of a polynomial. The first half of the bytes is multiplied by a known remainder and added to the second half, which
leaves half of the bytes with the same remainder. Python does that with a few dozen shifts of whole numbers. The last bytes are left to the
function that goes byte by byte.
"""

from functools import lru_cache

# The polynomial, as the byte-by-byte algorithm has it: bit 63 stands for x^0.
POLYNOMIAL = 0x9A6C9329AC4BC9B5
ONE = 1 << 63
START = 0xFFFFFFFFFFFFFFFF
# Shorter bodies are not worth the setup.
SHORT_BYTES = 2048


def _multiplied(left: int, right: int) -> int:
    """The product of two remainders."""
    product = 0
    for place in range(63, -1, -1):
        if right >> place & 1:
            product ^= left
        left = left >> 1 ^ (POLYNOMIAL if left & 1 else 0)
    return product


@lru_cache(maxsize=128)
def _power(exponent: int) -> int:
    """The remainder of x^exponent."""
    if exponent < 64:
        return ONE >> exponent
    half = _power(exponent // 2)
    square = _multiplied(half, half)
    return _multiplied(square, ONE >> 1) if exponent % 2 else square


def _rest_bytes(count: int) -> int:
    """How many bytes remain of `count` in one step: few different numbers, so that their powers are computed once."""
    rest = 1
    while 2 * rest + 8 < count:
        rest *= 2
    return rest + 8


def _folded(body: bytes) -> bytes:
    """A short body with the same CRC from the start value zero."""
    count, number = len(body), int.from_bytes(body, "little")
    while count > SHORT_BYTES:
        rest = _rest_bytes(count)
        first = count - rest
        head, number = number & ((1 << 8 * first) - 1), number >> 8 * first
        factor, product = _power(8 * rest), 0
        for place in range(64):
            if factor >> place & 1:
                product ^= head << place
        number ^= product << 8 * (rest - first) - 63
        count = rest
    return number.to_bytes(count, "little")


def quick(slow):
    """`slow` is the function that goes byte by byte, and is used for short bodies. The start value is added to the first 8 bytes."""

    def crc(body: bytes) -> int:
        if len(body) <= SHORT_BYTES:
            return slow(body)
        folded = _folded(_started(body))
        return slow(_started(folded))

    return crc


def _started(body: bytes) -> bytes:
    first = int.from_bytes(body[:8], "little") ^ START
    return first.to_bytes(8, "little") + body[8:]
