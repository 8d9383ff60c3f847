"""Normal forms of identifiers, and which of them are strong enough to link by.

The text given has been cleaned: trimmed, and half-width. A value that is not valid keeps
its normal form in its column but links nothing (see `features.sources.typed`).
"""

from collections.abc import Callable
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

from features.identifiers.addresses import address, building, located, valid_address
from features.identifiers.characters import (
    FULL_WIDTH,
    HALF_WIDTH,
    compact,
    stripped,
    tidy,
)
from features.identifiers.company_names import (
    company_core,
    company_name,
    parent_company,
    valid_company_name,
)
from features.identifiers.garbled import looks_garbled
from features.identifiers.numbers import (
    account,
    case_no,
    company_id,
    masked_person_id,
    person_id,
    phone,
    plate,
    valid_account,
    valid_case_no,
    valid_company_id,
    valid_person_id,
    valid_phone,
    valid_plate,
    valid_vin,
    vin,
    vin_tail,
    whole_person_id,
    whole_phone,
)
from features.identifiers.person_names import (
    person_name,
    simplified,
    valid_person_name,
)

__all__ = [
    "FULL_WIDTH",
    "HALF_WIDTH",
    "NORMAL_FORMS",
    "UPGRADES",
    "VALID",
    "building",
    "compact",
    "company_core",
    "looks_garbled",
    "masked_person_id",
    "parent_company",
    "stripped",
    "tidy",
    "vin_tail",
]


def plain_id(text: Any) -> StringValue:
    """Any other identifier: no white space, half width, brackets in one form."""
    plain = compact(text).replace("〔", "(").replace("〕", ")")
    return ibis.ifelse(text.re_search(r"[\s〔〕]"), plain, text)


NORMAL_FORMS: dict[str, Callable[[Any], StringValue]] = {
    "id": plain_id,
    "person_id": person_id,
    "company_id": company_id,
    "plate": plate,
    "vin": vin,
    "phone": phone,
    "account": account,
    "case_no": case_no,
    "person_name": person_name,
    "company_name": company_name,
    "address": address,
}
# Applied to a normal form that is already a column: they name it several times.
UPGRADES: dict[str, Callable[[Any], StringValue]] = {
    "person_id": whole_person_id,
    "phone": whole_phone,
    "person_name": simplified,
    "address": located,
}
VALID: dict[str, Callable[[Any], BooleanValue]] = {
    "person_id": valid_person_id,
    "company_id": valid_company_id,
    "plate": valid_plate,
    "vin": valid_vin,
    "phone": valid_phone,
    "account": valid_account,
    "case_no": valid_case_no,
    "person_name": valid_person_name,
    "company_name": valid_company_name,
    "address": valid_address,
}
