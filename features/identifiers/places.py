"""Names of provinces and cities at the head of addresses and company names.

Provinces, prefectures and county-level cities without the words that say what they are,
and some former ones (襄樊, 萧山); put together by hand after GB/T 2260, without 吉林 (the
province's name too) and 津市. Districts and counties are too many to list: their 区
or 县 tells them.
"""

from collections.abc import Iterable
from itertools import groupby

MUNICIPALITIES = ("北京", "上海", "天津", "重庆")
_PROVINCES = (
    "河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 "
    "海南 四川 贵州 云南 陕西 甘肃 青海 内蒙古 广西 西藏 宁夏 新疆 "
)
_PREFECTURES = (
    "石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 "
    "长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁 呼和浩特 包头 乌海 赤峰 通辽 "
    "鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 "
    "阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛 长春 四平 辽源 通化 白山 松原 白城 延边 "
    "哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 "
    "南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 杭州 宁波 "
    "温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 "
    "铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城 福州 厦门 莆田 三明 泉州 "
    "漳州 南平 龙岩 宁德 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶 "
    "济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 莱芜 临沂 德州 聊城 "
    "滨州 菏泽 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 "
    "南阳 商丘 信阳 周口 驻马店 武汉 黄石 十堰 宜昌 襄阳 襄樊 鄂州 荆门 孝感 荆州 "
    "黄冈 咸宁 随州 恩施 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 "
    "怀化 娄底 湘西 广州 韶关 深圳 珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 "
    "汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 南宁 柳州 桂林 梧州 北海 防城港 "
    "钦州 贵港 玉林 百色 贺州 河池 来宾 崇左 海口 三亚 三沙 儋州 成都 自贡 攀枝花 "
    "泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 "
    "阿坝 甘孜 凉山 贵阳 六盘水 遵义 安顺 毕节 铜仁 黔西南 黔东南 黔南 昆明 曲靖 "
    "玉溪 保山 昭通 丽江 普洱 临沧 楚雄 红河 文山 西双版纳 大理 德宏 怒江 迪庆 "
    "拉萨 日喀则 昌都 林芝 山南 那曲 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 "
    "商洛 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 临夏 甘南 "
    "西宁 海东 玉树 海西 银川 石嘴山 吴忠 固原 中卫 乌鲁木齐 克拉玛依 吐鲁番 哈密 "
    "昌吉 阿克苏 喀什 和田 伊犁 塔城 "
)
_COUNTY_CITIES = (
    "辛集 晋州 新乐 遵化 迁安 滦州 武安 南宫 沙河 涿州 安国 高碑店 定州 泊头 任丘 "
    "黄骅 河间 霸州 三河 深州 古交 高平 介休 永济 河津 原平 侯马 霍州 孝义 汾阳 "
    "怀仁 新民 瓦房店 庄河 海城 东港 凤城 凌海 北镇 盖州 大石桥 灯塔 调兵山 开原 "
    "北票 凌源 兴城 榆树 德惠 公主岭 蛟河 桦甸 舒兰 磐石 双辽 梅河口 集安 临江 "
    "扶余 洮南 大安 延吉 图们 敦化 珲春 龙井 和龙 尚志 五常 讷河 虎林 密山 铁力 "
    "同江 富锦 抚远 绥芬河 海林 宁安 穆棱 东宁 北安 五大连池 嫩江 安达 肇东 海伦 "
    "漠河 江阴 宜兴 新沂 邳州 溧阳 常熟 张家港 昆山 太仓 启东 如皋 海安 东台 仪征 "
    "高邮 丹阳 扬中 句容 兴化 靖江 泰兴 建德 余姚 慈溪 奉化 瑞安 乐清 龙港 海宁 "
    "平湖 桐乡 诸暨 嵊州 上虞 萧山 兰溪 义乌 东阳 永康 江山 温岭 临海 玉环 龙泉 "
    "巢湖 桐城 潜山 天长 明光 界首 无为 广德 宁国 福清 永安 石狮 晋江 南安 龙海 "
    "邵武 武夷山 建瓯 漳平 福安 福鼎 乐平 共青城 庐山 瑞昌 贵溪 瑞金 龙南 井冈山 "
    "丰城 樟树 高安 德兴 胶州 平度 莱西 滕州 龙口 莱阳 莱州 招远 栖霞 海阳 青州 "
    "诸城 寿光 安丘 高密 昌邑 曲阜 邹城 新泰 肥城 荣成 乳山 乐陵 禹城 临清 邹平 "
    "巩义 荥阳 新密 新郑 登封 舞钢 汝州 林州 卫辉 辉县 沁阳 孟州 禹州 长葛 义马 "
    "灵宝 邓州 永城 项城 济源 大冶 丹江口 宜都 当阳 枝江 老河口 枣阳 宜城 京山 "
    "钟祥 应城 安陆 汉川 监利 石首 洪湖 松滋 麻城 武穴 赤壁 广水 利川 仙桃 潜江 "
    "天门 浏阳 宁乡 醴陵 湘乡 韶山 耒阳 常宁 武冈 邵东 汨罗 临湘 沅江 资兴 祁阳 "
    "洪江 冷水江 涟源 吉首 乐昌 南雄 台山 开平 鹤山 恩平 廉江 雷州 吴川 高州 化州 "
    "信宜 四会 兴宁 陆丰 阳春 英德 连州 普宁 罗定 横州 荔浦 岑溪 东兴 桂平 平果 "
    "靖西 北流 合山 凭祥 五指山 琼海 文昌 万宁 东方 都江堰 彭州 邛崃 崇州 简阳 "
    "广汉 什邡 绵竹 江油 射洪 隆昌 峨眉山 阆中 华蓥 万源 马尔康 西昌 会理 清镇 "
    "盘州 赤水 仁怀 黔西 兴义 兴仁 凯里 都匀 福泉 安宁 宣威 澄江 腾冲 水富 个旧 "
    "开远 蒙自 弥勒 景洪 瑞丽 芒市 彬州 华阴 韩城 兴平 神木 子长 旬阳 玉门 敦煌 "
    "华亭 格尔木 德令哈 灵武 青铜峡 石河子 阿拉尔 图木舒克 五家渠 阜康 博乐 "
    "库尔勒 库车 阿图什 奎屯 伊宁 霍尔果斯 乌苏 阿勒泰 满洲里 牙克石 扎兰屯 "
    "额尔古纳 根河 霍林郭勒 丰镇 乌兰浩特 阿尔山 二连浩特 锡林浩特 "
)
PROVINCES = tuple(_PROVINCES.split())
CITIES = (*_PREFECTURES.split(), *_COUNTY_CITIES.split())
# Firms are named with these characters: 安顺 or 永康 alone may be a name, not a place.
_AUSPICIOUS = frozenset(
    "安顺康泰和平永吉兴昌隆盛富丰宝华新大同长万德福天金利达通源明光宁义信仁高远建瑞庆海龙凤东方"
)

PROVINCE_WORD = "(?:省|(?:壮族|回族|维吾尔)?自治区)"
_PEOPLES = (
    "朝鲜|土家|苗|藏|羌|彝|布依|侗|哈尼|壮|傣|白|景颇|傈僳|回|蒙古|哈萨克|柯尔克孜"
)
PREFECTURE_WORD = f"(?:(?:{_PEOPLES})族?)*自治州"
CITY_WORD = f"(?:市|地区|{PREFECTURE_WORD})"
# Not 小区, 社区, 园区, 市场, 市政, 十二区: those are no places.
_NO_DISTRICT = (
    "小社园片校厂景库务货矿特开发新第省市县区旗0-9A-Z一二三四五六七八九十百零〇"
)
DISTRICT = f"(?:[一-龥][^{_NO_DISTRICT}][区县旗]+)"
NO_PLACE = "政场民容"


def either(names: Iterable[str]) -> str:
    """A pattern for one of the names, branched by their first character.

    Engines that try one alternative after the other need it short.
    """
    by_first = groupby(sorted(names), key=lambda name: name[0])
    branches = (f"{first}(?:{_tails(found)})" for first, found in by_first)
    return f"(?:{'|'.join(branches)})"


def _tails(names: Iterable[str]) -> str:
    longest_first = sorted((name[1:] for name in names), key=lambda t: (-len(t), t))
    return "|".join(longest_first)


PROVINCE = either((*PROVINCES, *MUNICIPALITIES))
CITY = either((*MUNICIPALITIES, *CITIES))
UNMISTAKABLE_CITY = either(
    (*MUNICIPALITIES, *(name for name in CITIES if not set(name) <= _AUSPICIOUS))
)
