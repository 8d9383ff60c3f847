"""Facts and reasons (事实与理由) of simulated suits, sentence by sentence.

A text is one sentence out of each table, in words out of each list. Who writes afresh
draws them all; who reuses a template takes what the template says, changes names, dates
and sums, and rewords a little.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from training.simulation import names, written
from training.simulation.sampling import Bools, Ints, Rng, Texts, chance, texts
from training.simulation.vehicle_claims import column, flags
from training.simulation.vehicle_insurers import looked_up
from training.simulation.vehicle_world import World

OWN_WORDS = -1  # the style of a text that follows no template
# Who writes all suits of a group by one template, whatever agent signs them.
SHARING = ("assignment_ring", "assignment_ring_evading", "injury_broker")
MODEL_FORM_RATE = 0.03  # honest suits on the form that courts hand out
REWORDED_RATE = 0.12  # a word of the template replaced
REWRITTEN_RATE = 0.03  # a whole sentence of the template replaced

WORDS: dict[str, tuple[str, ...]] = {
    "car": ("小型轿车", "车辆", "小客车", "机动车"),
    "promptly": ("立即", "随即", "第一时间", "当即"),
    "pay": ("支付", "赔付", "给付", "赔偿"),
    "refuse": ("拒绝理赔", "拒不赔付", "不予赔偿", "拒绝给付"),
    "repeatedly": ("多次", "屡次", "反复", "数次"),
    "lawful": ("合法权益", "正当权益", "合法利益", "自身权益"),
    "sue": ("诉至贵院", "提起诉讼", "诉请法院裁判", "起诉至法院"),
    "loss": ("损失", "各项损失", "经济损失", "实际损失"),
}
HITS: dict[str, tuple[str, ...]] = {
    "two_car": ("与对向驶来的轿车相撞", "追尾前方车辆", "与变道车辆发生刮擦"),
    "single": ("撞上路边护栏", "冲出路面撞到行道树", "与中央隔离墩碰撞"),
    "e_bike": ("与电动自行车相撞", "刮倒骑电动车的人", "与非机动车发生碰撞"),
    "pedestrian": ("撞倒一名行人", "与横过道路的行人相撞", "刮碰路边行人"),
}
POLICIES = (
    "原告{plaintiff}就号牌为{plate}的{car}向被告{insurer}投保商业险，保费已按时交清。",
    "{plate}号{car}在{insurer}承保，保险合同依法成立并生效，{plaintiff}享有索赔权利。",
    "被告{insurer}向原告签发保险单，承保标的为{plate}{car}，{plaintiff}如约缴纳了保险费。",
    "{plaintiff}名下事故{car}（{plate}）购买了车损险和第三者责任险，保险人为{insurer}。",
    "双方存在保险合同关系：{insurer}系保险人，投保{car}牌号{plate}，权利人为{plaintiff}。",
    "涉案{car}车牌{plate}，保单由被告{insurer}出具，事故发生在承保期限之内，原告为{plaintiff}。",
    "本人{plaintiff}驾乘的{plate}号{car}自购买之日起一直由{insurer}提供保障，从未中断。",
    "原告{plaintiff}是{plate}{car}保险利益的享有者，被告{insurer}负有约定的赔偿义务。",
)
CRASHES = (
    "{date}，该车行经{place}路段时，因避让不及，{hit}，造成车身受损。",
    "{date}，驾驶人途经{place}，雨天路滑制动不住，{hit}，前部凹陷变形。",
    "事故发生于{date}，地点在{place}附近，当时视线不良，车子{hit}。",
    "{date}晚高峰，{place}车流密集，驾驶员操作稍有不当，便{hit}，致车辆无法行驶。",
    "行至{place}一处弯道，{hit}，时为{date}，幸而无人重伤，但车损严重。",
    "{date}上午，原告亲友借用该车外出办事，在{place}转弯之际{hit}。",
    "{place}交叉路口于{date}发生一起交通事故，投保车辆{hit}，多处部件损坏。",
    "因前方突发状况，司机猛打方向，{hit}，时间是{date}，位置在{place}。",
)
INJURIES_RELATED = (
    "肇事{car}悬挂{plate}号牌，由{insurer}承保交强险与商业三者险，{plaintiff}系事故受害人。",
    "原告{plaintiff}为本起事故的伤者，被告{insurer}是{plate}号{car}的保险公司。",
    "被告{insurer}对{plate}{car}负有第三者责任保险项下的赔偿义务，伤者即原告{plaintiff}。",
    "{plate}号{car}的保险人系{insurer}，事发时在保险期间，受伤的是{plaintiff}。",
    "{plaintiff}因他人驾车致伤，对方{car}（{plate}）的保险单载明承保人为{insurer}。",
    "致害车辆{plate}{car}，交强险由{insurer}签单，原告{plaintiff}有权直接请求保险金。",
    "原告{plaintiff}平日务工为生，被{plate}号{car}所伤，该车的保险责任归{insurer}承担。",
    "本案侵权{car}号牌{plate}，其责任保险在被告{insurer}处有效存续，原告为{plaintiff}。",
)
INJURIES = (
    "{date}，原告经过{place}，被该车碰撞倒地，头部及四肢多处受伤。",
    "{date}，在{place}人行横道旁，对方疏于观察将原告撞倒，当场疼痛难忍。",
    "事发当日为{date}，原告正常行进至{place}，肇事司机未减速，酿成事故。",
    "{place}路口，{date}，被保险车辆闯入原告行进路线，导致其骨折。",
    "原告骑行途经{place}时遭该车撞击，摔出数米，日期为{date}，由路人拨打急救电话。",
    "{date}傍晚，司机在{place}抢道通行，将原告带倒，造成身体伤害。",
    "对方驾车于{date}驶至{place}，未让行优先通过的一方，原告因此负伤。",
    "一场车祸于{date}在{place}发生，原告无任何过错却身受重创。",
)
REPORTS = (
    "事发后{promptly}报警并通知保险公司，交警到场勘查后出具了责任认定书。",
    "当事人{promptly}拨打了报案电话，公安机关交通管理部门作出事故认定。",
    "交警大队经现场调查划分了责任，保险公司客服亦登记了出险信息。",
    "出险情况已由交通警察记录在案，责任归属清楚，各方签字确认。",
    "驾驶人{promptly}保护现场、开启双闪并向警方报告，认定结论现已生效。",
    "公安交警依照道路交通安全法制作认定文书，原告{promptly}向保险人提交了副本。",
    "被告查勘员接报后赶赴现场拍照取证，警方文书亦能印证事故的真实性。",
    "报警回执、现场照片以及事故责任认定均已固定，事实没有争议。",
    "",  # some leave this step out
)
REPAIRS = (
    "经具备资质的机构评估，修复该车需要{sum}元，原告已全额垫付维修款。",
    "车辆送修后更换了大量配件，工时与材料合计{sum}元，有发票和清单为凭。",
    "第三方鉴定意见认定{loss}为{sum}元，结论客观公正，应当作为定案依据。",
    "维修厂出具的结算单显示花费{sum}元，这一数额符合当地市场行情。",
    "保险公司迟迟不来定损，原告只得自行委托评估，确定{loss}共计{sum}元。",
    "拆检之后发现内部构件同样受损，最终核算修理费用{sum}元，均属必要支出。",
    "{loss}有评估报告、付款凭证相互佐证，总额{sum}元，不存在扩大情形。",
    "为恢复原状，原告先后支出配件费、喷漆费、拖车费等，累计{sum}元。",
)
TREATMENTS = (
    "经住院治疗，支出医药费、护理费、误工费等共{sum}元，后经鉴定留有残疾。",
    "伤情稳定后委托司法鉴定，依据意见书计算，残疾赔偿金及其他费用合计{sum}元。",
    "原告先后手术、康复数月，劳动能力下降，{loss}总计{sum}元，票据齐全。",
    "医院诊断为多发伤，出院后仍需复查，按现行标准主张赔偿{sum}元。",
    "因伤致残，家庭收入锐减，精神遭受打击，应得赔偿经核算为{sum}元。",
    "治疗期间由家人全程陪护，加上营养费、交通费，全部{loss}为{sum}元。",
    "鉴定机构评定了伤残等级及误工、护理、营养期限，据此应赔{sum}元。",
    "原告至今行动不便，前期花费连同后续治疗所需，一并请求{sum}元。",
)
REFUSALS = (
    "原告{repeatedly}找被告协商，对方却以各种理由推诿，{refuse}。",
    "被告单方压低金额，双方{repeatedly}沟通未果，至今分文未付。",
    "理赔材料递交已久，被告仅口头答复正在审核，实则{refuse}。",
    "{repeatedly}催要之下，保险公司出具通知书，以免责条款为由{refuse}。",
    "被告对评估结论提出异议，却不说明依据，也{refuse}。",
    "调解过程中被告态度强硬，只肯承担小部分，原告难以接受。",
    "投保容易索赔难，被告收取保费时热情周到，出险以后{refuse}。",
    "原告奔波数月，{repeatedly}往返于理赔窗口，换来的却是{refuse}的答复。",
)
REASONS = (
    "依照保险法第二十三条，保险人应及时核定并{pay}保险金，逾期须承担违约责任。",
    "根据民法典侵权责任编和相关司法解释，保险公司应在限额范围内先行{pay}。",
    "免责条款未尽提示与明确说明义务，对原告不发生效力，被告应如约{pay}。",
    "诚实信用是订立和履行合同的基本原则，被告的做法明显违背合同目的，理应{pay}。",
    "被告既不举证推翻上述数额，又怠于履行法定义务，应承担举证不能的后果。",
    "格式条款存在两种以上解释的，应作不利于提供一方的理解，故被告须{pay}。",
    "损失真实发生且与事故存在因果关系，被告没有任何正当抗辩事由，应予{pay}。",
    "参照同类案件的裁判尺度，原告的主张既有事实基础又有法律依据，应获支持。",
    "",  # some leave this step out
)
PLEAS = (
    "为维护{lawful}，特{sue}，望判如所请。",
    "综上，请求依法支持原告的全部诉讼请求，以保护{lawful}。",
    "无奈之下，原告只得{sue}，恳请主持公道。",
    "故此{sue}，请求判令被告承担本案诉讼费用及鉴定费。",
    "基于以上事实与理由，原告{sue}，敬请查明事实后公正判决。",
    "现依据民事诉讼法有关规定{sue}，请予立案审理。",
    "原告别无他法，唯有{sue}以捍卫{lawful}，请求早日裁决。",
    "协商之路已尽，特此{sue}，盼法庭支持诉求，维护{lawful}。",
)
CAR_TEXT = (POLICIES, CRASHES, REPORTS, REPAIRS, REFUSALS, REASONS, PLEAS)
INJURY_TEXT = (
    *(INJURIES_RELATED, INJURIES, REPORTS, TREATMENTS),
    *(REFUSALS, REASONS, PLEAS),
)
_FIELD = re.compile(r"\{(\w+)\}")


def court_pleadings(rng: Rng, world: World, rows: pd.DataFrame) -> Texts:
    """The pleading of each suit; rings and brokers reuse one, a specialist her own."""
    persons, district = world.population.persons, column(rows, "district")
    town = rng.integers(0, names.TOWN_TABLE.shape[1], len(rows))
    asked = np.round(rows["claimed_amount"].to_numpy()).astype(np.int64)
    facts = {
        "plaintiff": looked_up(persons, "name", column(rows, "claimant")),
        "insurer": texts(names.INSURERS)[column(rows, "insurer")] + "保险公司",
        "plate": looked_up(world.vehicles, "plate", column(rows, "vehicle")),
        "date": written.chinese_dates(rows["time"].to_numpy()),
        "place": texts(names.DISTRICTS)[district] + names.TOWN_TABLE[district, town],
        "sum": written.plain(asked),
        "kind": rows["kind"].to_numpy(dtype=object),
    }
    return pleadings(rng, facts, flags(rows, "injury"), _styles(rng, rows))


def _styles(rng: Rng, rows: pd.DataFrame) -> Ints:
    """Whose template each suit follows; most are written in words of their own."""
    shared = rows["typology"].isin(SHARING).to_numpy()
    honest = (rows["fraud"] == 0).to_numpy()
    agent = column(rows, "agent")
    specialists = agent[(rows["hard_negative"] == "specialist_lawyer").to_numpy()]
    hers = honest & flags(rows, "has_agent") & np.isin(agent, specialists)
    form = honest & chance(rng, len(rows), MODEL_FORM_RATE)
    owner = np.full(len(rows), "", dtype=object)
    owner[form] = "form"
    owner[hers] = "agent" + written.plain(agent[hers])
    owner[shared] = "group" + written.plain(column(rows, "group")[shared])
    style = pd.factorize(owner)[0].astype(np.int64)
    return np.where(owner == "", OWN_WORDS, style)


def pleadings(
    rng: Rng, facts: Mapping[str, Texts], injury: Bools, style: Ints
) -> Texts:
    """One text per suit, about 120 to 300 characters.

    Args:
        facts: plaintiff, insurer, plate, date, place, sum and kind, one value a suit.
        injury: whether the suit is about a person rather than a car.
        style: number of the template that the suit reuses, or OWN_WORDS.
    """
    held = dict(facts) | {"hit": _hits(rng, facts["kind"], style)}
    for name, options in WORDS.items():
        held[name] = texts(options)[_choice(rng, style, len(options), REWORDED_RATE)]
    slots = zip(CAR_TEXT, INJURY_TEXT, strict=True)
    written = np.full(len(style), "", dtype=object)
    for car, hurt in slots:
        choice = _choice(rng, style, len(car), REWRITTEN_RATE)
        written += _sentences((*car, *hurt), choice + injury * len(car), held)
    return written


def _hits(rng: Rng, kind: Texts, style: Ints) -> Texts:
    options = texts([hit for hits in HITS.values() for hit in hits])
    first = pd.Series(kind).map({k: 3 * n for n, k in enumerate(HITS)})
    place = first.to_numpy(np.int64) + _choice(rng, style, 3, REWORDED_RATE)
    return np.asarray(options[place], dtype=object)


def _choice(rng: Rng, style: Ints, options: int, redrawn: float) -> Ints:
    """Which option each text takes: its template's, or at a rate one of its own."""
    own = rng.integers(0, options, len(style))
    template = rng.integers(0, options, style.max(initial=OWN_WORDS) + 2)
    follows = (style != OWN_WORDS) & ~chance(rng, len(style), redrawn)
    return np.where(follows, template[style], own)


def _sentences(
    options: Sequence[str], choice: Ints, held: Mapping[str, Texts]
) -> Texts:
    written = np.empty(len(choice), dtype=object)
    for number, option in enumerate(options):
        rows = np.flatnonzero(choice == number)
        written[rows] = _filled(option, rows, held)
    return written


def _filled(sentence: str, rows: Ints, held: Mapping[str, Texts]) -> Texts:
    """The sentence with its fields filled, for these rows."""
    filled = np.full(len(rows), "", dtype=object)
    for number, part in enumerate(_FIELD.split(sentence)):
        filled = filled + (held[part][rows] if number % 2 else part)
    return filled
