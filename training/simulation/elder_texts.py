"""Texts of the elder-care scenario: advertisements, complaints, contract forms, brands."""

import numpy as np

from training.simulation.names import ROADS
from training.simulation.sampling import Bools, Ints, Rng, Texts, chance, pick, texts

PLAIN_ADS = (
    "全天候专业护理，营养膳食，欢迎家属预约参观",
    "康养中心环境优美，医养结合，按月收费",
    "老年人日间照料，助餐助浴，价格公示",
    "中老年保健用品到店体验，明码标价",
    "银发旅居专列，纯玩无购物，报名从速",
    "养老服务补贴政策咨询，流程公开透明",
    "社区健康管理服务站，免费测血压血糖",
)
DISCOUNTS = ("开业满额返利购物券", "会员日床位补贴优惠", "老客户介绍返利油米")
PROMISES = (
    "年化收益10%保本返利，零风险",
    "以房养老，房产不动，每月领钱，零风险",
    "预存床位补贴8%，到期保本，随时退",
    "认购康养基地，年返利12%，合同保障",
)
SOFT_PROMISES = (
    "入住前每月另享颐养关爱金，名额有限",
    "预订会员每季领取康养体验礼遇，长期稳定",
    "早订早享，未入住期间发放陪伴金",
    "内部渠道代办补缴手续，到龄即可领取待遇",
)
CHANNELS = ("leaflet", "wechat", "tv", "street", "phone")
REFUND_COMPLAINTS = (
    "签约时承诺随时退款，现在拒不退款",
    "宣传的收益没有兑现，要求退还预付款",
    "工作人员多次推诿，会员卡余额不予退还",
    "承诺与实际不符，疑似虚假宣传，要求退款",
)
OTHER_COMPLAINTS = (
    "价格上调未提前通知，要求说明",
    "饭菜口味不佳，护理人员不足",
    "场所噪音扰民，影响周边居民",
    "发票开具不及时，服务态度一般",
)
PLACES = ("大酒店会议厅", "社区活动室", "老年大学", "生态农庄", "宾馆多功能厅")
BRANDS_A = tuple("颐康寿福松鹤安怡晚晴银龄乐椿")
BRANDS_B = tuple("养年和泰悦园居苑享馨宁瑞林桥")
BRAND_ENDINGS = ("养老", "康养", "颐养中心", "健康管理", "旅居", "银发驿站")

OPENINGS = (
    "甲乙双方本着自愿平等的原则，就乙方接受甲方提供的养老服务达成如下约定",
    "为保障老年人的合法权益，经双方协商一致，签订本服务合同",
    "甲方为依法设立的服务机构，乙方为有服务需求的老年人或者其家属",
    "根据民法典及老年人权益保障法的有关规定，双方订立本合同",
)
FEES = (
    "服务费用按月收取，床位费与护理费分别计算，价格调整提前三十日告知",
    "乙方于每月五日前支付当月费用，逾期按日计收违约金",
    "费用标准见附件，预收费用不超过十二个月并按规定存管",
    "商品价款一次付清，自签收之日起七日内无理由退货",
    "乙方缴纳押金，押金用于抵扣拖欠费用和突发疾病的救治费用",
)
RIGHTS = (
    "乙方有权了解护理计划，甲方应当建立健康档案并定期评估",
    "甲方应当配备相应的护理人员，保证膳食安全和环境卫生",
    "乙方可以随时参观，甲方应当公示收费项目和投诉电话",
    "甲方应当保护乙方的个人信息，未经同意不得对外提供",
    "乙方外出应当请假，甲方应当做好登记并通知家属",
)
ENDINGS = (
    "合同期满双方无异议的自动顺延一年，终止时余款十五日内退还",
    "发生争议协商解决，协商不成的向甲方所在地人民法院起诉",
    "本合同一式两份，自双方签字盖章之日起生效",
    "任何一方提前解除合同应当提前三十日书面通知对方",
)
RING_CLAUSES = (
    "预订人享有优先入住权，未入住期间由管理中心按季发放关爱礼遇",
    "会员份额可以由管理中心统一托管运营，到期由合作单位回购",
    "权益凭证可以转让给其他会员，转让手续由服务专员统一办理",
    "会员推荐亲友加入的享受推荐礼遇，礼遇计入会员账户",
    "基地建成以前会员按照认购等级享受旅居接待，不另收费",
    "会员资金由合作单位统一安排使用，服务专员负责日常联络",
)


def advertisements(rng: Rng, risky: Bools, soft: Bools, discount: Bools) -> Texts:
    """One text per advertisement; what is not marked is plain."""
    size = len(risky)
    said = pick(rng, PLAIN_ADS, size)
    said = np.where(discount, said + "，" + pick(rng, DISCOUNTS, size), said)
    said = np.where(soft, said + "，" + pick(rng, SOFT_PROMISES, size), said)
    return np.where(risky, pick(rng, PROMISES, size) + "，" + said, said)


def complaints(rng: Rng, refund: Bools) -> Texts:
    """What a complaint is about: money that is not paid back, or something else."""
    size = len(refund)
    return np.where(
        refund, pick(rng, REFUND_COMPLAINTS, size), pick(rng, OTHER_COMPLAINTS, size)
    )


def brands(rng: Rng, size: int) -> Texts:
    """Names above the door, which differ from the registered company."""
    first, second = pick(rng, BRANDS_A, size), pick(rng, BRANDS_B, size)
    number = rng.integers(1, 60, size).astype(str).astype(object)
    return np.asarray(
        first + second + number + "号" + pick(rng, BRAND_ENDINGS, size), dtype=object
    )


def venues(numbers: Ints) -> Texts:
    """Where lectures are held, one place per number."""
    rest, place = np.divmod(numbers, len(PLACES))
    house, road = np.divmod(rest, len(ROADS))
    written = (house + 1).astype(str).astype(object)
    return np.asarray(
        texts(ROADS)[road] + written + "号" + texts(PLACES)[place], dtype=object
    )


def contract_forms(rng: Rng, forms: Ints, own: Bools) -> Texts:
    """The form that each firm filed; firms with the same number of form share its words.

    Args:
        forms: number of the form.
        own: whether it is the ordinary form of an honest firm.
    """
    distinct, place = np.unique(forms, return_inverse=True)
    parts = (OPENINGS, FEES, RIGHTS, RIGHTS, ENDINGS, ENDINGS)
    size = len(distinct)
    said = texts([""] * size)
    for choices in parts:
        said = said + pick(rng, choices, size) + _detail(rng, size) + "。"
    extra = texts([""] * size)
    for _ in range(3):
        extra = extra + pick(rng, RING_CLAUSES, size) + _detail(rng, size) + "。"
    return np.where(own, said[place], extra[place] + said[place])


def _detail(rng: Rng, size: int) -> Texts:
    """What each form adds in its own words, so that forms of strangers differ."""
    objects = (
        "床位",
        "护理等级",
        "餐费",
        "陪护",
        "体检",
        "接送",
        "用品",
        "房间",
        "活动",
    )
    verbs = ("另行约定", "以附件为准", "按实结算", "由双方确认", "不再单列", "每年核定")
    places = ("前台", "护理站", "财务室", "家属会", "服务大厅", "值班室", "院务会")
    said = "，其中" + pick(rng, objects, size) + "和" + pick(rng, objects, size)
    said = said + pick(rng, verbs, size) + "并在" + pick(rng, places, size) + "备查"
    return np.where(chance(rng, size, 0.8), said, "")
