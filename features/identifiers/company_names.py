"""Company names: one spelling, the firm without its branch, its distinctive core."""

from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

from features.identifiers.characters import compact
from features.identifiers.places import (
    CITY,
    CITY_WORD,
    DISTRICT,
    NO_PLACE,
    PROVINCE,
    PROVINCE_WORD,
    UNMISTAKABLE_CITY,
)

# 绍兴市政工程 is a name in which 市 belongs to the trade.
_CITY = rf"^((?:{PROVINCE})?(?:{CITY}){{1,2}}){CITY_WORD}([^{NO_PLACE}])"
_PLACE_IN_BRACKETS = rf"\(((?:{PROVINCE})?(?:{CITY})?)(?:省|市)\)"
_BRANCH = "(?:分公司|支公司|办事处|营业部|经营部|项目部|分行|支行|分店|分厂|分所|分社)"
_LEADING_PLACE = (
    rf"^(?:中国)?(?:{PROVINCE}(?:{CITY})?|{UNMISTAKABLE_CITY})?(?:{UNMISTAKABLE_CITY})?"
    rf"{DISTRICT}?"
)
_BRACKETS = (
    rf"\((?:中国|{PROVINCE}|{CITY}|[一-龥]{{1,6}}[省市县区])[^()]*\)"
    r"|\((?:有限合伙|普通合伙|特殊普通合伙|个体工商户|个人独资)\)"
)
_LEGAL_FORM = "(?:集团|控股)?(?:股份|有限|总)?公司$|(?:CO)?(?:LTD|INC|CORP|LLC)$"


def company_name(text: Any) -> StringValue:
    """One spelling of brackets, legal form and leading place; the branch stays.

    绍兴市 and 绍兴, 浙江省 and 浙江 are one; districts and counties keep their 区 and 县.
    """
    tidy = ibis.ifelse(
        text.re_search(r"[\sA-Za-z,.;:'\"“”‘’\[\]【】〔〕]"), _tidy(text), text
    )
    legal = tidy.replace("有限责任公司", "有限公司").replace("股份有限公司", "股份公司")
    # Two microseconds a name: those without such a word need no look for its place.
    worded = legal.re_search(f"{PROVINCE_WORD}|{CITY_WORD}")
    return ibis.ifelse(worded, _placed(legal), legal)


def valid_company_name(normal: Any) -> BooleanValue:
    """At least four characters, none of them masked."""
    return normal.re_search("^[^某*×?□■●○]{4,}$")


def parent_company(normal: Any) -> StringValue:
    """The company that a branch belongs to; other names as they are."""
    firm = normal.re_replace(f"(公司).*{_BRANCH}$", r"\1")
    return firm.re_replace(f"(银行|事务所).*{_BRANCH}$", r"\1")


def company_core(normal: Any) -> StringValue:
    """What two spellings of one firm share: no place, legal form or branch.

    A city that could be a name (安顺, 永康) stays unless its province stands before it;
    a district without its 区 stays too. A name that is all place and form stays whole.
    """
    plain = parent_company(normal).re_replace(_BRACKETS, "")
    core = plain.re_replace(_LEGAL_FORM, "").re_replace(_LEADING_PLACE, "")
    return ibis.coalesce(core.nullif(""), normal)


def _placed(text: Any) -> StringValue:
    """Without the words that say what the leading places are."""
    placed = text.re_replace(f"^({PROVINCE}){PROVINCE_WORD}+([^{NO_PLACE}])", r"\1\2")
    # Twice: a county-level city stands behind its prefecture.
    placed = placed.re_replace(_CITY, r"\1\2").re_replace(_CITY, r"\1\2")
    return placed.re_replace(_PLACE_IN_BRACKETS, r"(\1)")


def _tidy(text: Any) -> StringValue:
    plain = compact(text).upper().re_replace(r"[,.;:'\"“”‘’]", "")
    plain = plain.replace("COMPANY", "CO").replace("LIMITED", "LTD")
    plain = plain.replace("CORPORATION", "CORP").replace("INCORPORATED", "INC")
    return plain.re_replace(r"[\[【〔]", "(").re_replace(r"[\]】〕]", ")")
