"""Names of people, places and companies: common ones, put together at random."""

from typing import NamedTuple

import numpy as np

from training.simulation.sampling import Ints, Rng, Texts, distinct, pick, texts

SURNAMES = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁"
    "蔡蒋余于杜叶程魏苏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江"
)
# Zhejiang: 陈王张徐俞章 and other local names stand above the national order.
LOCAL_SURNAMES = tuple("陈王张徐俞章沈周金傅孟裘斯骆屠娄竺钱陶祝")
LOCAL_SURNAME_RATE = 0.4

# Each pair sounds or looks alike; the second member is what a clerk types instead.
LOOKALIKES = (
    "伟炜 芳方 娜那 敏闵 静婧 丽莉 强锵 磊垒 军君 洋扬 勇咏 艳燕 杰洁 娟鹃 涛焘 明铭 "
    "超钞 霞暇 平萍 刚钢 桂贵 华桦 建健 国囯 志智 文纹 海诲 玉钰 英瑛 红虹 春椿 梅玫 "
    "兰蓝 凤奉 荣蓉 生升 龙珑 飞菲 峰锋 波泼 斌彬 辉晖 宁柠 雪雯 晨辰 宇雨 浩皓 欣昕 "
    "佳嘉 琪淇 雅娅 怡宜 梦萌 阳旸 天添 子梓 俊峻 鹏朋 毅逸 康慷 乐勒 安按 良梁 根跟 "
    "土士 水氺 木沐 祥详 富副 福幅 林琳 松淞 庆罄 云芸 秀琇 珍珎 淑叔 慧惠 美镁 爱嫒"
)
PAIRS = tuple(LOOKALIKES.split())
GIVEN = tuple(pair[0] for pair in PAIRS)
MISTYPED = str.maketrans({pair[0]: pair[1] for pair in PAIRS})
ONE_CHARACTER_RATE = 0.22
MINORITY_RATE = 0.004
MINORITY_FIRST = ("阿依古丽", "买买提", "吐尔逊", "阿卜杜拉", "古丽娜尔", "艾力")
MINORITY_LAST = ("艾买提", "热合曼", "吐尔洪", "依明", "卡德尔", "司马义")

PREFECTURE = "绍兴市"
DISTRICTS = ("越城区", "柯桥区", "上虞区", "诸暨市", "嵊州市", "新昌县")
DISTRICT_CODES = np.array([330602, 330603, 330604, 330681, 330683, 330624])
DISTRICT_WEIGHTS = np.array([0.24, 0.20, 0.17, 0.20, 0.12, 0.07])
OTHER_REGIONS = np.array([330106, 330226, 340122, 361124, 411521, 522224, 511623])
TOWNS = (
    (
        "北海街道",
        "府山街道",
        "塔山街道",
        "城南街道",
        "皋埠街道",
        "东浦街道",
        "斗门街道",
    ),
    (
        "柯桥街道",
        "柯岩街道",
        "华舍街道",
        "钱清街道",
        "杨汛桥街道",
        "安昌街道",
        "福全街道",
    ),
    ("百官街道", "曹娥街道", "东关街道", "崧厦街道", "道墟街道", "盖北镇", "章镇镇"),
    ("暨阳街道", "浣东街道", "陶朱街道", "大唐街道", "店口镇", "枫桥镇", "牌头镇"),
    ("鹿山街道", "剡湖街道", "三江街道", "浦口街道", "甘霖镇", "长乐镇", "崇仁镇"),
    ("羽林街道", "南明街道", "七星街道", "沃洲镇", "澄潭街道", "儒岙镇", "小将镇"),
)
TOWN_TABLE = np.array(TOWNS, dtype=object)
ROADS = (
    *(
        "解放路",
        "人民路",
        "中兴路",
        "延安路",
        "环城路",
        "胜利路",
        "迪荡路",
        "世纪路",
        "群贤路",
    ),
    *(
        "金柯桥大道",
        "江滨路",
        "王充路",
        "舜江路",
        "暨东路",
        "东二路",
        "苎萝路",
        "浣纱路",
    ),
    *(
        "剡溪路",
        "官河路",
        "鼓山路",
        "七星路",
        "工业大道",
        "兴越路",
        "凤林路",
        "鉴湖路",
    ),
    *(
        "镜湖路",
        "洋江路",
        "二环路",
        "新昌大道",
        "市场路",
    ),
)

BRANDS_A = tuple("宏鑫恒永顺通安瑞盛正华金越稽鉴浙绍诚信德兴旺隆源泰和利达凯嘉百")
BRANDS_B = tuple("达通顺驰捷发源盛鑫丰茂隆泰祥瑞利安博远航宇腾飞龙信诚德福润海洋")
ENDINGS = {
    "garage": (
        "汽车维修有限公司",
        "汽车修理有限公司",
        "汽车服务有限公司",
        "汽车销售服务有限公司",
    ),
    "appraiser": (
        "机动车鉴定评估有限公司",
        "价格评估有限公司",
        "资产评估有限公司",
        "司法鉴定所",
    ),
    "law_firm": ("律师事务所",),
    "fleet": ("出租汽车有限公司", "运输有限公司", "物流有限公司", "汽车租赁有限公司"),
    "labour_dispatch": ("劳务派遣有限公司", "人力资源有限公司"),
    "builder": ("建筑劳务有限公司", "建设工程有限公司", "市政园林有限公司"),
    "factory": ("印染有限公司", "纺织有限公司", "机械制造有限公司", "五金有限公司"),
    "care_home": (
        "养老院有限公司",
        "颐养服务有限公司",
        "康养服务有限公司",
        "老年公寓有限公司",
    ),
    "wellness": ("健康管理有限公司", "养老产业发展有限公司", "生物科技有限公司"),
    "clinic": ("诊所有限公司", "门诊部有限公司"),
    "fuel_station": ("加油站有限公司", "石油销售有限公司"),
    "oil_trader": ("石油化工有限公司", "能源贸易有限公司", "化工贸易有限公司"),
    "chemical_plant": ("化工有限公司", "新材料有限公司", "涂料有限公司"),
    "freight": ("货运有限公司", "物流有限公司", "运输有限公司"),
    "small_lender": ("小额贷款有限公司", "典当有限公司"),
    "auction_helper": ("拍卖服务有限公司", "司法辅助服务有限公司"),
    "other": (
        *(
            "纺织有限公司",
            "印染有限公司",
            "贸易有限公司",
            "机械有限公司",
            "建筑工程有限公司",
            "餐饮管理有限公司",
        ),
        *(
            "电子有限公司",
            "袜业有限公司",
            "服饰有限公司",
            "科技有限公司",
        ),
    ),
}
INSURERS = ("越安", "东海", "浙信", "稽山", "钱江", "华盛", "瑞和", "长三角")
INSURER_SHORT = texts([f"{brand}财险" for brand in INSURERS])
INSURER_ENDING = "财产保险股份有限公司{city}中心支公司"


class Home(NamedTuple):
    """The prefecture that streets and companies are named after."""

    prefecture: str = PREFECTURE
    province: str = "浙江"

    @property
    def city(self) -> str:
        """The name as it is spoken: 绍兴."""
        return self.prefecture.removesuffix("市")


SHAOXING = Home()


def surnames(rng: Rng, size: int) -> Texts:
    """Surnames, frequent ones first, with the local flavour."""
    weights = 1 / (np.arange(len(SURNAMES)) + 3.0)
    drawn = pick(rng, SURNAMES, size, list(weights))
    local = rng.random(size) < LOCAL_SURNAME_RATE
    drawn[local] = pick(rng, LOCAL_SURNAMES, int(local.sum()))
    return drawn


def given_names(rng: Rng, size: int) -> Texts:
    """Given names of one or two characters."""
    weights = list(1 / (np.arange(len(GIVEN)) + 25.0))
    second = pick(rng, GIVEN, size, weights)
    second[rng.random(size) < ONE_CHARACTER_RATE] = ""
    return np.asarray(pick(rng, GIVEN, size, weights) + second, dtype=object)


def minority_names(rng: Rng, size: int) -> Texts:
    """Names written with a middle dot."""
    first, last = pick(rng, MINORITY_FIRST, size), pick(rng, MINORITY_LAST, size)
    return np.asarray(first + "·" + last, dtype=object)


def street_addresses(rng: Rng, districts: Ints, home: Home = SHAOXING) -> Texts:
    """Addresses down to the house number."""
    size = len(districts)
    towns = TOWN_TABLE[districts, rng.integers(0, TOWN_TABLE.shape[1], size)]
    house = rng.integers(1, 999, size).astype(str).astype(object)
    head = home.prefecture + texts(DISTRICTS)[districts] + towns
    return np.asarray(head + pick(rng, ROADS, size) + house + "号", dtype=object)


def home_addresses(rng: Rng, districts: Ints, home: Home = SHAOXING) -> Texts:
    """Addresses down to the room."""
    size = len(districts)
    block = rng.integers(1, 40, size).astype(str).astype(object)
    room = rng.integers(1, 19, size) * 100 + rng.integers(1, 5, size)
    tail = block + "幢" + room.astype(str).astype(object) + "室"
    return np.asarray(street_addresses(rng, districts, home) + tail, dtype=object)


def company_names(rng: Rng, kind: str, districts: Ints, home: Home = SHAOXING) -> Texts:
    """Distinct registered names of companies of one kind."""
    if kind == "insurer":
        branch = INSURER_ENDING.format(city=home.city)
        return texts([f"{brand}{branch}" for brand in INSURERS])
    endings = ENDINGS[kind]
    brands = len(BRANDS_A) * len(BRANDS_B)
    prefixes = (home.prefecture, home.city, home.province, "")
    combinations = len(prefixes) * brands * len(endings)
    number = distinct(rng, len(districts), combinations)
    number, ending = np.divmod(number, len(endings))
    number, second = np.divmod(number, len(BRANDS_B))
    prefix, first = np.divmod(number, len(BRANDS_A))
    where = texts(prefixes)[prefix]
    where = np.where(prefix == 3, texts(DISTRICTS)[districts], where)
    brand = texts(BRANDS_A)[first] + texts(BRANDS_B)[second]
    return np.asarray(where + brand + texts(endings)[ending], dtype=object)
