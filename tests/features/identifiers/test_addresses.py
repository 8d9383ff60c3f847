"""Addresses: one form, the building that neighbours share, what is detailed enough."""

from features.identifiers import building
from tests.features.identifiers.reading import computed, normal

HOME = "绍兴越城北海街道解放路12号3幢101室"
SPELLINGS = (
    "浙江省绍兴市越城区北海街道解放路12号3幢101室",
    "浙江绍兴市越城区北海街道解放路12号3栋101室",
    "绍兴市越城区北海街道解放路12号3号楼101室",
    "绍兴越城北海街道解放路12号3幢101",
    "中国浙江省绍兴市越城区北海街道解放路十二号三幢一百零一室",
    "绍兴市越城区北海街道（原城关镇）解放路 12号，3幢 101号房",
    "绍兴市越城区北海街道解放路１２号３＃楼１０１房间",
    "绍兴市越城区北海街道解放路12号3-101",
    "绍兴市越城区北海街道解放路12号第3幢101室(近人民路)",
)
WRITTEN = {
    "绍兴市柯桥区柯岩街道世纪花园3-2-501": (
        "绍兴柯桥柯岩街道世纪花园3幢2单元501室",
        True,
    ),
    "绍兴柯桥柯岩街道世纪花园3幢2-501室": (
        "绍兴柯桥柯岩街道世纪花园3幢2单元501室",
        True,
    ),
    "诸暨市店口镇湖西村第三村民小组": ("诸暨店口镇湖西村3组", True),
    "诸暨店口镇湖西村3队": ("诸暨店口镇湖西村3组", True),
    "诸暨店口镇湖西村二十三社": ("诸暨店口镇湖西村23组", True),
    "浙江省绍兴市诸暨市店口镇湖西村12号": ("绍兴诸暨店口镇湖西村12号", True),
    "浙江新昌县羽林街道12号": ("新昌羽林街道12号", True),
    "北京市朝阳区建国路88号a座1201": ("北京朝阳建国路88号A幢1201室", True),
    "上海市浦东新区世纪大道100号8层": ("上海浦东新区世纪大道100号8楼", True),
    "吉林省延边朝鲜族自治州延吉市光明街一百二十三号": ("延边延吉光明街123号", True),
    "内蒙古自治区赤峰市红山区甲路九号": ("赤峰红山甲路9号", True),
    "绍兴市市场路12号": ("绍兴市场路12号", True),
    "绍兴市场路12号": ("绍兴市场路12号", True),
    "江西路12号": ("江西路12号", True),
    "绍兴市越城区三江路12号": ("绍兴越城三江路12号", True),
    "越城区北海第一社区12号": ("越城北海第一社区12号", True),
    "绍兴市越城区解放路12号二环新村三幢": ("绍兴越城解放路12号2环新村3幢", True),
    "绍兴市越城区解放路十二号二环新村3幢": ("绍兴越城解放路12号2环新村3幢", True),
    "越城区翠苑小区3幢": ("越城翠苑小区3幢", True),
    "绍兴市越城区北海街道": ("绍兴越城北海街道", False),
    "店口镇": ("店口镇", False),
    "绍兴市越城区**路12号": ("绍兴越城**路12号", False),
    "3幢101室": ("3幢101室", False),
    "不详": ("不详", False),
}
BUILDINGS = {
    HOME: "绍兴越城北海街道解放路12号3幢",
    "越城解放路12号101室": "越城解放路12号",
    "越城解放路12弄3号": "越城解放路12弄3号",
    "越城1号桥村5组12号": "越城1号桥村5组12号",
    "北京朝阳建国路88号A幢1201室": "北京朝阳建国路88号A幢",
    "诸暨店口镇湖西村3组": None,
    "绍兴越城北海街道": None,
}


def test_spellings_of_one_address_are_one(catalog):
    read = normal(catalog, "address", SPELLINGS)
    assert dict(zip(SPELLINGS, read, strict=True)) == dict.fromkeys(
        SPELLINGS, (HOME, True)
    )


def test_address_has_one_form_and_ties_people_only_when_detailed(catalog):
    read = normal(catalog, "address", list(WRITTEN))
    assert dict(zip(WRITTEN, read, strict=True)) == WRITTEN


def test_neighbours_share_the_building(catalog):
    found = computed(catalog, building, list(BUILDINGS))
    assert dict(zip(BUILDINGS, found, strict=True)) == BUILDINGS


def test_every_chinese_house_number_under_a_thousand_is_read(catalog):
    def written(number: int) -> str:
        hundreds, rest = divmod(number, 100)
        tens, ones = divmod(rest, 10)
        digits = "零一二三四五六七八九"
        text = digits[hundreds] + "百" if hundreds else ""
        if tens:
            text += ("" if tens == 1 and not hundreds else digits[tens]) + "十"
        elif hundreds and ones:
            text += "零"
        return text + (digits[ones] if ones else "")

    numbers = range(1, 1000)
    texts = [f"越城解放路{written(number)}号" for number in numbers]
    read = normal(catalog, "address", texts)
    assert read == [(f"越城解放路{number}号", True) for number in numbers]
