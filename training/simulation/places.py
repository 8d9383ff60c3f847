"""Prefectures of a large delivery: what tells the numbers of one from those of another.

Up to `PREFECTURE_UNITS` units everything happens in Shaoxing. More are spread over further
prefectures, each drawn by itself, so that memory is bounded and cost grows with the units.
"""

from dataclasses import dataclass

import numpy as np

from training.simulation.names import DISTRICT_CODES, DISTRICTS, PREFECTURE, Home
from training.simulation.sampling import Ints, Texts, texts

PROVINCES = {
    33: ("浙", "浙江", "杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水"),
    32: (
        "苏",
        "江苏",
        "南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁",
    ),
    34: (
        "皖",
        "安徽",
        "合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城",
    ),
    35: ("闽", "福建", "福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德"),
    36: ("赣", "江西", "南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶"),
    37: (
        "鲁",
        "山东",
        "济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽",
    ),
    41: (
        "豫",
        "河南",
        "郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳",
    ),
    42: ("鄂", "湖北", "武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州"),
    43: (
        "湘",
        "湖南",
        "长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底",
    ),
}
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
ZHEJIANG_LETTERS = "ABCFEDGHLJK"  # in order of the codes; Shaoxing is D
PHONES = 10**8  # tails of mobile numbers
SPARE = 10  # stripes of phone numbers kept for nights that come later
SERIALS_APART = 7  # of residents registered elsewhere, on one day


@dataclass(frozen=True, slots=True)
class Place:
    """One prefecture. `mark` stands in its numbers; empty where there is only one."""

    number: int = 0
    code: int = 3306
    name: str = PREFECTURE
    province: str = "浙江"
    plate: str = "浙D"
    mark: str = ""
    phones: range = range(PHONES)

    @property
    def home(self) -> Home:
        """What names of streets and companies take from the prefecture."""
        return Home(self.name, self.province)

    @property
    def districts(self) -> Ints:
        """Codes of the six districts."""
        return np.asarray(DISTRICT_CODES % 100 + self.code * 100, dtype=np.int64)

    @property
    def district_names(self) -> Texts:
        """Names of the six, told apart from those of other prefectures."""
        return texts([f"{self.name if self.mark else ''}{d}" for d in DISTRICTS])

    @property
    def serials(self) -> int:
        """First serial of residents, so that no two prefectures give one number twice."""
        return self.number * SERIALS_APART

    def marked(self, numbers: Texts) -> Texts:
        """Numbers with the prefecture's code after their first letter; empty stays so."""
        if not self.mark:
            return numbers
        held = [f"{text[0]}{self.mark}{text[1:]}" if text else "" for text in numbers]
        return texts(held)


SHAOXING = Place()


def place(number: int, of: int) -> Place:
    """One of `of` prefectures that deliver together; the first is Shaoxing.

    Raises:
        ValueError: more prefectures than there are names.
    """
    others = [found for found in _all() if found.name != PREFECTURE]
    listed = [SHAOXING, *others]
    if number >= len(listed):
        raise ValueError(
            f"simulate: {number + 1} prefectures are wanted, {len(listed)} have a name; "
            "ask for fewer units or parts"
        )
    held = listed[number]
    width = PHONES if of == 1 else PHONES // (of + SPARE)
    first = number * width % PHONES
    return Place(
        number=number,
        code=held.code,
        name=held.name,
        province=held.province,
        plate=held.plate,
        mark=str(held.code) if number else "",
        phones=range(first, first + width),
    )


def _all() -> list[Place]:
    found = []
    for code, (short, province, towns) in PROVINCES.items():
        letters = ZHEJIANG_LETTERS if short == "浙" else PLATE_LETTERS
        for order, town in enumerate(towns.split()):
            found.append(
                Place(
                    code=code * 100 + order + 1,
                    name=f"{town}市",
                    province=province,
                    plate=short + letters[order],
                )
            )
    return found
