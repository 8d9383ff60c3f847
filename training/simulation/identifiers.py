"""Made-up identifiers that pass the real check-digit rules."""

import numpy as np
import numpy.typing as npt

from training.simulation.sampling import Bools, Ints, Rng, Texts, Times, distinct, pick

DIGITS = "0123456789"
PLATE_GLYPHS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # real plates carry no I or O
VIN_GLYPHS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"  # nor do VINs, nor Q
USCC_GLYPHS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I, O, S, V, Z

RESIDENT_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
RESIDENT_CHECKS = "10X98765432"
ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])  # GB 11714
USCC_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])
VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)
)
VIN_CHECK_PLACE = 8

MOBILE_PREFIXES = (
    *("135", "136", "137", "138", "139", "150", "151", "152", "157"),
    *("158", "159", "180", "182", "187", "188", "189", "133", "177"),
)
PHONE_TAILS = range(10**8)
BANK_PREFIXES = ("622202", "622848", "621700", "621661", "622588", "621418")
LOCAL_PLATE = "浙D"
OTHER_PLATES = ("浙A", "浙B", "浙C", "浙F", "沪A", "苏E", "皖A", "赣E", "豫P")
OTHER_PLATE_RATE = 0.10
NEW_ENERGY_RATE = 0.12
NEW_ENERGY_LETTERS = "ABCDEFGHJK"

Glyphs = npt.NDArray[np.uint8]


def glyphs(text: str) -> Glyphs:
    """Byte codes of an ASCII alphabet, to be indexed by number."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8)


def joined(codes: Glyphs) -> Texts:
    """Rows of byte codes as texts."""
    packed = np.ascontiguousarray(codes).view(f"S{codes.shape[1]}").ravel()
    return np.asarray(packed.astype(f"U{codes.shape[1]}"), dtype=object)


def places(numbers: Ints, width: int, base: int = 10) -> Ints:
    """The digits of each number in a base, most significant first."""
    powers = base ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return np.asarray((numbers[:, None] // powers) % base)


def padded(numbers: Ints, width: int) -> Texts:
    """Zero-padded decimal texts."""
    return joined(glyphs(DIGITS)[places(numbers, width)])


def resident_check(body: Ints) -> Glyphs:
    """Check characters of 17-digit bodies (GB 11643, ISO 7064 mod 11-2)."""
    return np.asarray(glyphs(RESIDENT_CHECKS)[(body @ RESIDENT_WEIGHTS) % 11])


def birth_numbers(births: Times) -> Ints:
    """Birth dates as numbers like 19870214."""
    months = births.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (births - months.astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray(year * 10_000 + month * 100 + day)


def sequence_within(keys: Ints) -> Ints:
    """0, 1, 2, ... among the rows that share a key, in row order."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(keys)), 0))
    sequence = np.empty(len(keys), dtype=np.int64)
    sequence[order] = np.arange(len(keys)) - first
    return sequence


def resident_ids(
    regions: Ints, births: Times, *, scattered: bool = False, first: int = 0
) -> Texts:
    """Distinct 18-digit resident numbers for region codes and birth dates.

    Args:
        scattered: serials start elsewhere in each region and year, so that numbers of
            neighbouring regions, or masked ones, are not alike.
        first: serial that a region and day begins with.
    """
    stem = regions * 100_000_000 + birth_numbers(births)
    start = regions * 613 + stem % 100_000_000 // 10_000 * 389 if scattered else 0
    # 37 and 1000 share no factor, so one region and day yields 1,000 numbers.
    order = (stem * 7919 + start + 37 * (first + sequence_within(stem))) % 1000
    body = places(stem * 1000 + order, 17)
    return joined(np.column_stack([glyphs(DIGITS)[body], resident_check(body)]))


def organisation_check(body: Ints) -> Ints:
    """Check values of the 8-character organisation code inside a USCC."""
    values = np.array([int(glyph, 36) for glyph in USCC_GLYPHS])[body]
    return np.asarray((11 - values @ ORGANISATION_WEIGHTS % 11) % 11)


def company_codes(rng: Rng, regions: Ints) -> Texts:
    """Distinct unified social credit codes (GB 32100) of companies."""
    size = len(regions)
    serial = places(distinct(rng, size, 31**8), 8, base=31)
    tenth = USCC_GLYPHS.index("X")
    check = organisation_check(serial)
    check = np.where(check == 10, tenth, check)
    kind = np.tile([9, 1], (size, 1))
    body = np.column_stack([kind, places(regions, 6), serial, check])
    last = (31 - body @ USCC_WEIGHTS % 31) % 31
    return joined(glyphs(USCC_GLYPHS)[np.column_stack([body, last])])


def vins(rng: Rng, size: int) -> Texts:
    """Distinct vehicle identification numbers with a valid ninth character."""
    body = rng.integers(0, len(VIN_GLYPHS), (size, 17))
    body[:, 0] = VIN_GLYPHS.index("L")  # built in China
    body[:, 9:] = places(distinct(rng, size, 10**8), 8)
    values = np.array([VIN_VALUES.get(g, ord(g) - ord("0")) for g in VIN_GLYPHS])
    check = values[body] @ VIN_WEIGHTS % 11
    written = glyphs(VIN_GLYPHS)[body]
    written[:, VIN_CHECK_PLACE] = glyphs("0123456789X")[check]
    return joined(written)


def plates(rng: Rng, size: int, own: str = LOCAL_PLATE) -> Texts:
    """Distinct number plates, mostly local, some with new-energy length."""
    prefix = pick(rng, OTHER_PLATES, size)
    local = rng.random(size) >= OTHER_PLATE_RATE
    prefix[local] = own
    body = _ordinary_plates(rng, size)
    green = rng.random(size) < NEW_ENERGY_RATE
    body[green] = _new_energy_plates(rng, green)
    return np.asarray(prefix + body, dtype=object)


def _ordinary_plates(rng: Rng, size: int) -> Texts:
    numbers = distinct(rng, size, 34**3 * 100)
    mixed = glyphs(PLATE_GLYPHS)[places(numbers // 100, 3, base=34)]
    return joined(np.column_stack([mixed, glyphs(DIGITS)[places(numbers % 100, 2)]]))


def _new_energy_plates(rng: Rng, chosen: Bools) -> Texts:
    numbers = distinct(rng, int(chosen.sum()), len(NEW_ENERGY_LETTERS) * 10**5)
    letter = glyphs(NEW_ENERGY_LETTERS)[numbers // 10**5]
    return joined(np.column_stack([letter, glyphs(DIGITS)[places(numbers, 5)]]))


def phones(rng: Rng, size: int, tails: range = PHONE_TAILS) -> Texts:
    """Distinct mobile numbers that end in one of these tails."""
    tail = padded(tails.start + distinct(rng, size, len(tails)), 8)
    return np.asarray(pick(rng, MOBILE_PREFIXES, size) + tail, dtype=object)


def accounts(rng: Rng, size: int) -> Texts:
    """Distinct bank account numbers; people and firms look alike on purpose."""
    tail = padded(distinct(rng, size, 10**13), 13)
    return np.asarray(pick(rng, BANK_PREFIXES, size) + tail, dtype=object)


def case_numbers(years: Ints, courts: Texts, numbers: Ints) -> Texts:
    """Civil first-instance case numbers such as （2023）浙0602民初1234号."""
    year = years.astype(str).astype(object)
    number = numbers.astype(str).astype(object)
    written = "（" + year + "）" + courts + "民初" + number + "号"
    return np.asarray(written, dtype=object)
