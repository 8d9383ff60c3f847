"""Numbers in Chinese, as offices write amounts: 32,175. Django's own leaves them bare."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
