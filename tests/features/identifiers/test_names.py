"""Names of people and companies, and what two spellings of one firm share."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.identifiers import company_core, parent_company
from features.identifiers.places import CITIES, PROVINCES
from features.identifiers.variants import COMPATIBLE, PLAIN, SIMPLIFIED, VARIANTS
from tests.features.identifiers.reading import batches, computed, forms, normal

PEOPLE = {
    "张　 三": ("张三", True),
    " 张 三 ": ("张三", True),
    "张三(曾用名李四)": ("张三", True),
    "张三（女）": ("张三", True),
    "张三[已故]": ("张三", True),
    "张三(": ("张三", True),
    "张三先生": ("张三", True),
    "王小明女士": ("王小明", True),
    "张先生": ("张", False),
    "张三先生同志": ("张三", True),
    "王志": ("王志", True),
    "李生": ("李生", True),
    "阿卜杜拉•买买提": ("阿卜杜拉·买买提", True),
    "阿卜杜拉.买买提": ("阿卜杜拉·买买提", True),
    "阿卜杜拉・买买提": ("阿卜杜拉·买买提", True),
    "張偉": ("张伟", True),
    "劉曉華": ("刘晓华", True),
    "鍾國強": ("钟国强", True),
    "髙淸": ("高清", True),
    "⻢⾼⻰": ("马高龙", True),
    "王喆昇": ("王喆昇", True),
    "王乾": ("王乾", True),
    "José  Núñez-Smith": ("JOSE NUNEZ SMITH", True),
    "JOHN SMITH(美国)": ("JOHN SMITH", True),
    "O'Brien, Pat": ("OBRIEN PAT", True),
    "Ødegård Łukasz": ("ODEGARD LUKASZ", True),
    "张某某": ("张某某", False),
    "某某": ("某某", False),
    "张**": ("张**", False),
    "张××": ("张**", False),
    "张XX": ("张*", False),
    "张三1": ("张三1", False),
    "张": ("张", False),
    "不详": ("不详", False),
}
COMPANIES = {
    "绍兴市宏达汽车维修有限责任公司": ("绍兴宏达汽车维修有限公司", True),
    "绍兴宏达汽车维修有限公司": ("绍兴宏达汽车维修有限公司", True),
    "绍兴 宏达 汽车维修有限公司": ("绍兴宏达汽车维修有限公司", True),
    "绍兴地 区宏达汽修厂": ("绍兴宏达汽修厂", True),
    "绍兴市越城区宏达汽修厂": ("绍兴越城区宏达汽修厂", True),
    "绍兴市诸暨市宏达汽修厂": ("绍兴诸暨宏达汽修厂", True),
    "浙江省宏达集团股份有限公司": ("浙江宏达集团股份公司", True),
    "浙江省绍兴市宏达汽修厂": ("浙江绍兴宏达汽修厂", True),
    "广西壮族自治区南宁市甲乙厂": ("广西南宁甲乙厂", True),
    "延边朝鲜族自治州甲乙厂": ("延边甲乙厂", True),
    "绍兴市市政工程有限公司": ("绍兴市政工程有限公司", True),
    "绍兴市政工程有限公司": ("绍兴市政工程有限公司", True),
    "上海市超市有限公司": ("上海超市有限公司", True),
    "杭州甲（浙江）有限责任公司": ("杭州甲(浙江)有限公司", True),
    "杭州甲【浙江省】有限公司": ("杭州甲(浙江)有限公司", True),
    "甲乙(绍兴市)有限公司": ("甲乙(绍兴)有限公司", True),
    "甲股份有限公司": ("甲股份公司", True),
    "宏达有限公司绍兴分公司": ("宏达有限公司绍兴分公司", True),
    "Shaoxing Hongda Co., Ltd.": ("SHAOXINGHONGDACOLTD", True),
    "SHAOXING HONGDA COMPANY LIMITED": ("SHAOXINGHONGDACOLTD", True),
    "绍兴某汽车修理有限公司": ("绍兴某汽车修理有限公司", False),
    "绍兴**公司": ("绍兴**公司", False),
    "个体": ("个体", False),
}
# normal form: (company, core)
PARTS = {
    "绍兴宏达汽车维修有限公司": ("绍兴宏达汽车维修有限公司", "宏达汽车维修"),
    "浙江绍兴越城区宏达汽车维修股份公司": (
        "浙江绍兴越城区宏达汽车维修股份公司",
        "宏达汽车维修",
    ),
    "宏达汽车维修(绍兴)有限公司": ("宏达汽车维修(绍兴)有限公司", "宏达汽车维修"),
    "宏达汽车维修": ("宏达汽车维修", "宏达汽车维修"),
    "中国人寿保险股份公司绍兴中心支公司": ("中国人寿保险股份公司", "人寿保险"),
    "中国工商银行股份公司绍兴分行": ("中国工商银行股份公司", "工商银行"),
    "绍兴银行柯桥支行": ("绍兴银行", "银行"),
    "浙江甲乙律师事务所绍兴分所": ("浙江甲乙律师事务所", "甲乙律师事务所"),
    "宏达集团有限公司": ("宏达集团有限公司", "宏达"),
    "甲乙合伙企业(有限合伙)": ("甲乙合伙企业(有限合伙)", "甲乙合伙企业"),
    "安顺汽车修理厂": ("安顺汽车修理厂", "安顺汽车修理厂"),
    "贵州安顺汽车修理厂": ("贵州安顺汽车修理厂", "汽车修理厂"),
    "绍兴有限公司": ("绍兴有限公司", "绍兴有限公司"),
    "SHAOXINGHONGDACOLTD": ("SHAOXINGHONGDACOLTD", "SHAOXINGHONGDA"),
}


@pytest.mark.parametrize(
    ("kind", "written"), [("person_name", PEOPLE), ("company_name", COMPANIES)]
)
def test_name_has_one_form_however_it_is_written(catalog, kind, written):
    read = normal(catalog, kind, list(written))
    assert dict(zip(written, read, strict=True)) == written


def test_branches_and_spellings_of_a_firm_share_its_core(catalog):
    parents = computed(catalog, parent_company, list(PARTS))
    cores = computed(catalog, company_core, list(PARTS))
    assert dict(zip(PARTS, zip(parents, cores, strict=True), strict=True)) == PARTS


def test_every_province_and_city_loses_its_word_and_stays_what_it_is(catalog):
    """Protects the lists: a name inside another would cut the longer one short."""
    bare = [*PROVINCES, *CITIES]
    suffixed = [*(f"{p}省" for p in PROVINCES), *(f"{city}市" for city in CITIES)]
    expected = [f"{place}甲乙厂" for place in bare]
    assert forms(catalog, "company_name", [f"{p}甲乙厂" for p in suffixed]) == expected
    assert forms(catalog, "company_name", expected) == expected


def test_every_variant_becomes_one_plain_character_that_stays():
    written, plain = VARIANTS + COMPATIBLE, SIMPLIFIED + PLAIN
    assert len(written) == len(plain) == len(set(written))
    assert not set(written) & set(plain)
    assert unicodedata.normalize("NFKC", plain) == plain


def test_no_character_of_todays_simplified_standard_is_changed():
    def in_standard(character: str) -> bool:
        try:
            return bool(character.encode("gb2312"))
        except UnicodeEncodeError:
            return False

    assert not [c for c in VARIANTS + COMPATIBLE if in_standard(c)]


hanzi = st.text("张王李刘陈伟芳娜秀英敏静丽强磊军洋勇艳杰", min_size=2, max_size=4)


@batches
@given(
    st.lists(hanzi, min_size=50, max_size=50), st.sampled_from(["　", " ", "\u00a0"])
)
def test_names_differ_after_reading_when_they_differed_before(catalog, names, blank):
    written = [name[0] + blank + name[1:] for name in names]
    assert forms(catalog, "person_name", written) == names
