"""The tables that cross a stage boundary: their columns and types, in one place.

Types are Arrow's names. A table may carry further columns where its entry ends in `...`
(the feature matrix has one column per feature, scores one per detector).
"""

TEXT, NUMBER, COUNT, TIME, FLAG = "string", "double", "int64", "timestamp[us]", "bool"

REJECTS = {
    "source": TEXT,
    "file": TEXT,
    "line": COUNT,  # of the file, the header being line 1; 0 when it has none
    "column": TEXT,
    "value": TEXT,  # masked when the column is sensitive
    "cause": TEXT,
    "action": TEXT,  # 'row' = the row was left out; 'value' = only this value was
}

# `...`: one column per feature of the data dictionary.
FEATURE_MATRIX = {"unit_id": TEXT, "as_of": TIME}

RULE_HITS = {
    "unit_id": TEXT,
    "as_of": TIME,
    "code": TEXT,
    "layer": COUNT,
    "reason_en": TEXT,
    "reason_zh": TEXT,
}

# `...`: one column `score_<detector>` per member. All scores lie in [0, 1], higher is
# more anomalous; ranks start at 1 and ties are broken by unit_id.
SCORES = {
    "unit_id": TEXT,
    "as_of": TIME,
    "score": NUMBER,  # detectors alone
    "rules": NUMBER,  # rules alone
    "fused": NUMBER,
    "rank_score": COUNT,
    "rank_rules": COUNT,
    "rank_fused": COUNT,
}

LEADS = {
    "unit_id": TEXT,
    "title": TEXT,
    "money": NUMBER,  # yuan at stake, null when the model declares none
    "score": NUMBER,
    "rules": NUMBER,
    "fused": NUMBER,
    "rank_score": COUNT,
    "rank_rules": COUNT,
    "rank_fused": COUNT,
    "found_by": TEXT,  # 'both', 'rules', 'score' or 'neither' (top-capacity membership)
    "silent": TEXT,  # sources with no row about this unit, comma separated
}

REASONS = {
    "unit_id": TEXT,
    "position": COUNT,  # 1 = moved the score most
    "feature": TEXT,
    "value": TEXT,
    "peer_median": TEXT,
    "percentile": NUMBER,  # share of all units with a smaller value, in [0, 1]
    "contribution": NUMBER,  # fall of the score, had the value been the median
    "text_en": TEXT,
    "text_zh": TEXT,
}

EVIDENCE = {
    "unit_id": TEXT,
    "source": TEXT,
    "department_en": TEXT,
    "department_zh": TEXT,
    "batch": TEXT,  # file name and the first 12 hex digits of its SHA-256
    "row_key": TEXT,
    "line": COUNT,
}

PUBLISHED = {
    "leads": LEADS,
    "rule_hits": RULE_HITS,
    "reasons": REASONS,
    "evidence": EVIDENCE,
}
