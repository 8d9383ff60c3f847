import numpy as np
import pytest

from training.simulation import dirt


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(9)


@pytest.mark.parametrize(
    ("change", "clean", "dirty"),
    [
        (dirt.masked_id, "330602198702141234", "330602********1234"),
        (dirt.masked_name, "张伟国", "张某某"),
        (dirt.masked_name, "宋江", "宋某"),
        (dirt.old_number, "330602195002141234", "330602500214123"),
        (dirt.old_number, "330602198702141234", "330602198702141234"),
        (dirt.lowered, "33060219870214123X", "33060219870214123x"),
        (dirt.mistyped_name, "张伟", "张炜"),
        (dirt.wide_space, "张伟", "张\u3000伟"),
        (dirt.dashed, "13812345678", "138-1234-5678"),
        (dirt.country_code, "13812345678", "+8613812345678"),
        (dirt.dotted_plate, "浙D12345", "浙D·12345"),
        (dirt.lettered_plate, "浙D10345", "浙DIO345"),
        (dirt.long_form, "绍兴宏达有限公司", "绍兴宏达有限责任公司"),
        (dirt.short_city, "绍兴市宏达有限公司", "绍兴宏达有限公司"),
        (dirt.trade_name, "绍兴市宏达汽车维修有限公司", "宏达汽修"),
        (dirt.half_brackets, "（2023）浙0602民初1号", "(2023)浙0602民初1号"),
        (dirt.no_district, "绍兴市越城区北海街道1号", "绍兴市北海街道1号"),
        (dirt.town_only, "绍兴市越城区北海街道解放路1号", "绍兴市越城区北海街道"),
        (dirt.short_vin, "L1GCPR82451099010", "099010"),
    ],
)
def test_each_kind_of_dirt(
    rng: np.random.Generator, change: dirt.Change, clean: str, dirty: str
) -> None:
    assert change(rng, np.array([clean], dtype=object)).tolist() == [dirty]


def test_id_typo_changes_one_digit(rng: np.random.Generator) -> None:
    clean = np.array(["330602198702141234"] * 50, dtype=object)
    for wrong in dirt.id_typo(rng, clean):
        assert sum(a != b for a, b in zip(clean[0], wrong, strict=True)) == 1


def test_case_typo_keeps_the_form(rng: np.random.Generator) -> None:
    number = np.array(["（2023）浙0602民初1234号"], dtype=object)
    assert dirt.case_typo(rng, number)[0].startswith("（2023）浙0602民初123")


def test_empty_values_stay_empty(rng: np.random.Generator) -> None:
    values = np.array(["", "13812345678"], dtype=object)
    assert dirt.soiled(rng, values, ((1.0, dirt.dashed),)).tolist() == [
        "",
        "138-1234-5678",
    ]


def test_dirt_leaves_its_input_alone(rng: np.random.Generator) -> None:
    values = np.array(["13812345678"], dtype=object)
    dirt.soiled(rng, values, ((1.0, dirt.dashed),))
    assert values.tolist() == ["13812345678"]


def test_soiled_keeps_to_the_rate(rng: np.random.Generator) -> None:
    values = np.full(20_000, "13812345678", dtype=object)
    soiled = dirt.soiled(rng, values, ((0.03, dirt.dashed),))
    assert np.mean(soiled != values) == pytest.approx(0.03, abs=0.005)
