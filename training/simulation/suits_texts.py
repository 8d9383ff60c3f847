"""Pleadings and defences of simulated suits, put together sentence by sentence.

Who writes afresh draws every sentence; who reuses a template takes what it says and
rewords a little. The rate of rewording is what tells a careful ring from a lazy one.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from training.simulation.sampling import Floats, Ints, Rng, Texts, chance, texts

OWN_WORDS = ""  # the style of a text that follows no template

WORDS: dict[str, tuple[str, ...]] = {
    "urge": ("多次催要", "屡次催讨", "反复主张", "再三索要"),
    "refuse": ("拒不履行", "分文未付", "推诿拖延", "避而不见"),
    "rights": ("合法权益", "正当权益", "合法利益", "自身权益"),
    "sue": ("诉至贵院", "提起诉讼", "诉请裁判", "起诉至法院"),
    "friend": ("朋友", "熟人", "同乡", "生意伙伴"),
}
LENDING = (
    (
        "原告{plaintiff}与被告{defendant}系{friend}关系，被告因{purpose}缺少资金，向原告提出借款。",
        "{defendant}经人介绍结识{plaintiff}，称{purpose}急需周转，请求原告出借款项。",
        "双方素有往来，被告{defendant}为{purpose}，在{plaintiff}处筹措一笔资金。",
        "被告{defendant}声称{purpose}，需要短期融资，原告{plaintiff}出于信任同意帮忙。",
        "因{purpose}所需，{defendant}找到{plaintiff}商量借钱，并允诺按时归还。",
        "{plaintiff}是本案出借人，{defendant}是借款人，所借钱款的用途为{purpose}。",
        "被告以{purpose}为由开口借款，{plaintiff}念及与{defendant}的{friend}情分没有推辞。",
        "{defendant}经营中遇到困难，要用钱来{purpose}，遂请求{plaintiff}伸出援手。",
    ),
    (
        "被告出具借条一份，载明借款金额{sum}元、利息及还款期限。",
        "双方签订书面借款合同，约定本金{sum}元，到期一次性还清。",
        "为此被告亲笔写下欠据，确认收到{sum}元，并按了手印。",
        "当日立有字据，写明所欠数额共计{sum}元，另有见证人签字。",
        "口头商定之后补写了凭证，其中注明款项合计{sum}元整。",
        "借贷数目为{sum}元，双方对计息标准与归还时间均有明确说法。",
        "合意达成后，被告在格式文本上签名，认可债务总额{sum}元。",
        "书证显示被告承认向原告取得{sum}元，该文件系其真实意思表示。",
    ),
    (
        "原告依约以现金方式将款项当面交付，被告清点无误。",
        "上述钱款经银行账户转入被告名下，凭证完整。",
        "签字当天原告即履行出借义务，款项足额到位。",
        "交付过程有旁人在场见证，被告收款后表示感谢。",
        "资金分两笔给付，第二笔到账时被告再次作了确认。",
        "原告从家中备用金及存款中凑足数额交与被告使用。",
        "被告实际控制并支配了该笔钱，对此从未提出过疑问。",
        "款已悉数支出，由被告指定的账户予以接收。",
    ),
    (
        "期限届满后，经原告{urge}，被告仍{refuse}。",
        "还款日早已经过，被告起初承诺筹款，其后{refuse}。",
        "原告{urge}未果，被告更换电话、{refuse}，双方关系破裂。",
        "被告仅支付少量利息便不再理会，对剩余部分{refuse}。",
        "虽经中间人从中说和，原告{urge}，对方依旧{refuse}。",
        "逾期至今，被告始终以资金紧张为借口，{refuse}。",
        "约定的日子到了，被告既不归还也不说明情况，{refuse}。",
        "原告念旧情宽限数月，不料被告毫无诚意，{refuse}。",
    ),
    (
        "依照民法典关于借款合同的规定，借款人应当按照约定的期限返还借款。",
        "合法的借贷关系受法律保护，债务应当清偿。",
        "被告的行为已构成根本违约，应承担相应的违约责任。",
        "根据民间借贷司法解释，出借人请求支付本息应予支持。",
        "诚信原则是民事活动的基石，欠债还钱天经地义。",
        "保证人承诺连带清偿的，债权人可以一并请求其承担责任。",
        "原告已完成举证，被告无任何可以对抗的理由。",
        "逾期利息亦应自到期次日起算至实际付清之日止。",
    ),
    (
        "为维护{rights}，特{sue}，望判如所请。",
        "综上，请求依法支持原告的全部诉讼请求，以保护{rights}。",
        "无奈之下，原告只得{sue}，恳请主持公道。",
        "故此{sue}，请求判令被告承担本案诉讼费用。",
        "基于以上事实，原告{sue}，敬请查明后公正处理。",
        "现依据民事诉讼法有关规定{sue}，请予立案审理。",
        "原告别无他法，唯有{sue}以捍卫{rights}。",
        "协商之路已尽，特此{sue}，盼法庭维护{rights}。",
    ),
)
LABOUR = (
    (
        "原告{plaintiff}经人介绍到被告{defendant}处上班，从事{purpose}工作。",
        "{plaintiff}入职{defendant}，岗位为{purpose}，接受其日常管理。",
        "被告{defendant}招用{plaintiff}负责{purpose}，按月计发报酬。",
        "原告{plaintiff}长期在{defendant}干活，主要内容是{purpose}。",
        "{defendant}安排{plaintiff}在车间做{purpose}，由班组长考勤。",
        "自进厂那天起，{plaintiff}便一直为{defendant}承担{purpose}任务。",
        "双方建立用工关系，{plaintiff}任{purpose}，用人单位是{defendant}。",
        "{plaintiff}受雇于{defendant}，工种登记为{purpose}。",
    ),
    (
        "工作期间双方未签订书面劳动合同，单位也没有办理社会保险。",
        "被告以试用、临时为由迟迟不签合同，工资以现金发放。",
        "原告遵守规章制度、服从调度，具备劳动关系的全部特征。",
        "工友证言、工作服及出入证能够证明其在岗事实。",
        "用人单位掌握考勤与工资表，应承担不提供的不利后果。",
        "多年来早出晚归，节假日也常加班，从无懈怠。",
        "报酬由财务人员签领发放，原告手中留有部分记录。",
        "公司经营地址多次变动，原告始终跟随没有离开。",
    ),
    (
        "其后被告拖欠应付款项，合计{sum}元至今未结。",
        "经结算尚有{sum}元没有支付，有对账单为证。",
        "原告主张的数额为{sum}元，计算方式附后。",
        "欠款总计{sum}元，负责人曾当面承认。",
        "按照实际出勤折算，被告还应给付{sum}元。",
        "停产之后工资停发，累计达{sum}元。",
        "各项待遇折合{sum}元，单位一再推托。",
        "原告核对流水得出差额{sum}元，请求一并处理。",
    ),
    (
        "原告{urge}，被告{refuse}。",
        "劳动仲裁委员会处理后原告不服，被告亦{refuse}。",
        "经街道劳动监察协调，原告{urge}，单位仍{refuse}。",
        "负责人口头答应解决，随后{refuse}，令人失望。",
        "双方就此发生争议，{urge}之下对方依旧{refuse}。",
        "原告曾向主管部门反映，被告表面应承，实则{refuse}。",
        "厂方称资金链断裂，对职工诉求{refuse}。",
        "调解会上被告一言不发，会后{refuse}。",
    ),
    (
        "依照劳动合同法，用人单位自用工之日起即与劳动者建立劳动关系。",
        "劳动者的报酬受法律保护，不得克扣或者无故拖欠。",
        "根据确立劳动关系有关事项的通知，本案完全符合认定条件。",
        "参加社会保险是法定义务，单位不得以任何理由免除。",
        "举证责任在用人单位，其怠于举证应承担不利后果。",
        "原告年岁渐长，无此认定将影响今后的养老待遇。",
        "弱势一方的基本生活需要应当得到司法保障。",
        "同类纠纷已有生效裁判可供参照。",
    ),
    LENDING[5],
)
TRADE = (
    (
        "原告{plaintiff}与被告{defendant}订立合同，内容涉及{purpose}。",
        "{defendant}向{plaintiff}提出需求，双方就{purpose}达成一致。",
        "被告{defendant}因{purpose}与{plaintiff}发生业务往来。",
        "{plaintiff}依约履行了与{purpose}有关的义务，相对方为{defendant}。",
        "围绕{purpose}一事，{plaintiff}和{defendant}签署了书面协议。",
        "双方合作多年，本次争议起因于{purpose}，当事人为{plaintiff}、{defendant}。",
        "{defendant}就{purpose}作出书面承诺，{plaintiff}予以接受。",
        "经协商，{plaintiff}与{defendant}确定{purpose}的条件并盖章。",
    ),
    (
        "合同总价款{sum}元，付款方式和期限均有约定。",
        "双方对账确认尚欠{sum}元，对账单由被告签章。",
        "应付金额为{sum}元，交付凭据齐全。",
        "按条款计算违约方应支付{sum}元。",
        "结算单载明余款{sum}元，双方无异议。",
        "发票已经开具，价税合计{sum}元。",
        "经核算债权数额为{sum}元，计算依据清楚。",
        "协议标的{sum}元，原告已先行垫付。",
    ),
    (
        "原告按时完成交付，质量符合约定标准。",
        "被告验收后投入使用，并未提出书面质疑。",
        "履行过程中原告多次配合调整，付出额外成本。",
        "送货单由被告工作人员逐一签收。",
        "约定期限届满，对方没有兑现承诺。",
        "原告已尽到全部通知和协助义务。",
        "被告擅自变更条件，导致合同目的落空。",
        "现场照片与往来函件可以印证上述经过。",
    ),
    LENDING[3],
    (
        "依法成立的合同对当事人具有约束力，应当全面履行。",
        "被告逾期履行构成违约，应赔偿由此造成的损失。",
        "民法典合同编规定，未支付价款的对方可以请求其支付。",
        "交易习惯亦支持原告的上述主张。",
        "双方意思表示真实，内容不违反强制性规定。",
        "违约金条款约定明确，数额并未过分高于损失。",
        "原告证据形成完整链条，足以认定事实。",
        "被告既未行使异议权，应视为认可。",
    ),
    LENDING[5],
)
PURPOSES = {
    "lending": "资金周转 购买房屋 装修门店 进货备料 偿还货款 工程垫资 家庭开支 添置设备",
    "labour": "操作工 仓库管理 搬运装卸 门卫值守 设备维修 缝纫裁剪 食堂帮厨 废料分拣",
    "trade": "钢材供应 水泥砂石 面料加工 商品房交付 房屋买卖 家具定制 机械配件 装饰施工",
}
KINDS = {"lending": LENDING, "labour": LABOUR, "trade": TRADE}
ADMISSIONS = (
    "对原告陈述的事实和诉讼请求均无异议。",
    "情况属实，没有异议，愿意按原告要求处理。",
    "无异议。",
    "认可全部金额，无异议，同意调解。",
)
MILD = (
    "对欠款事实基本认可，但希望分期履行。",
    "金额大致如此，利息偏高，请法庭酌减。",
    "确有此事，目前经济困难，要求宽限一段时间。",
    "部分款项已经付过，具体数额记不清楚。",
    "同意协商解决，但不承担诉讼费用。",
)
DISPUTES = (
    "原告所述与事实严重不符，双方不存在其主张的法律关系；",
    "款项性质有误，实为其他往来，且大部分已经清偿；",
    "被告申请对签名及书写时间进行司法鉴定；",
    "原告未能说明款项来源，交付经过前后矛盾；",
    "已付部分有银行流水和收条为证，应予扣除；",
    "诉讼时效期间已经届满，请求依法驳回；",
    "证人与原告有利害关系，其证言不应采信；",
    "合同条款显失公平，被告要求法庭全面审查。",
)
_FIELD = re.compile(r"\{(\w+)\}")


def pleadings(rng: Rng, rows: pd.DataFrame, facts: Mapping[str, Texts]) -> Texts:
    """One text per suit, about 150 to 250 characters.

    Args:
        rows: with `kind` (of `KINDS`), `style` and `rewritten`, the rate of sentences
            that a user of the template draws anew.
        facts: plaintiff, defendant and sum, one value a suit.
    """
    style = pd.factorize(rows["style"].to_numpy())[0].astype(np.int64)
    own = (rows["style"] == OWN_WORDS).to_numpy()
    redrawn = np.where(own, 1.0, rows["rewritten"].to_numpy(dtype=float))
    kind = rows["kind"].to_numpy(dtype=object)
    held = dict(facts) | {"purpose": _purposes(rng, kind)}
    for name, options in WORDS.items():
        held[name] = texts(options)[_choice(rng, style, len(options), redrawn)]
    result = np.full(len(rows), "", dtype=object)
    for slot in range(len(LENDING)):
        choice = _choice(rng, style, len(LENDING[slot]), redrawn)
        for name, table in KINDS.items():
            result += _sentences(table[slot], np.where(kind == name, choice, -1), held)
    return result


def defences(rng: Rng, level: Ints) -> Texts:
    """What the defendant said: nothing (0), no objection, mild, or a real dispute (3)."""
    size = len(level)
    several = texts(DISPUTES)[rng.integers(0, len(DISPUTES), (size, 3))]
    third = np.where(chance(rng, size, 0.5), several[:, 2], "")
    disputed = "不同意原告请求。" + several[:, 0] + several[:, 1] + third
    admitted = texts(ADMISSIONS)[rng.integers(0, len(ADMISSIONS), size)]
    mild = texts(MILD)[rng.integers(0, len(MILD), size)]
    return np.select(
        [level == 1, level == 2, level == 3], [admitted, mild, disputed], ""
    )


def _purposes(rng: Rng, kind: Texts) -> Texts:
    drawn = np.full(len(kind), "", dtype=object)
    for name, said in PURPOSES.items():
        options = texts(said.split())
        drawn = np.where(
            kind == name, options[rng.integers(0, len(options), len(kind))], drawn
        )
    return drawn


def _choice(rng: Rng, style: Ints, options: int, redrawn: Floats) -> Ints:
    own = rng.integers(0, options, len(style))
    template = rng.integers(0, options, style.max(initial=0) + 1)
    return np.where(chance(rng, len(style), redrawn), own, template[style])


def _sentences(
    options: Sequence[str], choice: Ints, held: Mapping[str, Texts]
) -> Texts:
    written = np.full(len(choice), "", dtype=object)
    for number, option in enumerate(options):
        rows = np.flatnonzero(choice == number)
        filled = np.full(len(rows), "", dtype=object)
        for place, part in enumerate(_FIELD.split(option)):
            filled = filled + (held[part][rows] if place % 2 else part)
        written[rows] = filled
    return written
