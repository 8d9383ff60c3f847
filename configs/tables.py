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

# One row per distinct record of an entity: rows of any source that say the same of it.
ENTITIES = {
    "entity": TEXT,  # its kind: person, company, ...
    "record": TEXT,  # digest of what the rows say; the same in every run
    "entity_id": TEXT,  # a valid identifier where one is known, else ~ and a record
    "rows": COUNT,
    "probability": NUMBER,  # of the surest link that the record hangs by; 1 = alone
    "flag": TEXT,  # why its cluster looks over-merged; such links are not used
}

ENTITY_LINKS = {
    "entity": TEXT,
    "left": TEXT,  # a record
    "right": TEXT,
    "probability": NUMBER,
    "how": TEXT,  # 'key', 'match' or 'judged'
    "found_by": TEXT,  # the attributes that brought the two together
    "decision": TEXT,  # 'accepted', 'review', 'rejected'
}

# One row per pair of nodes and source: what ties them, since when, how surely.
ASSOCIATIONS = {
    "left_kind": TEXT,
    "left": TEXT,
    "right_kind": TEXT,
    "right": TEXT,
    "source": TEXT,
    "row_key": TEXT,  # the earliest of the rows that say so
    "rows": COUNT,
    "event_at": TIME,  # of the latest row
    "known_at": TIME,  # of the earliest row
    "probability": NUMBER,  # that both ends are who they are taken for
}

# The same inside a run: nodes are numbers from 0, by kind and value; kept in four bytes
# where they fit. Ordered by both ends and source.
NUMBERED = {
    "left_node": COUNT,
    "right_node": COUNT,
    "source": TEXT,
    "row_key": TEXT,
    "rows": COUNT,
    "event_at": TIME,
    "known_at": TIME,
    "probability": NUMBER,
}

# What the numbers stand for.
GRAPH_NODES = {
    "node": COUNT,
    "kind": TEXT,
    "value": TEXT,
    "degree": COUNT,  # different neighbours
}

# Each pair of tied nodes once, the smaller number left.
GRAPH_PAIRS = {
    "left": COUNT,
    "right": COUNT,
    "probability": NUMBER,  # of the surest source
}

# Nodes with more neighbours than their kind's limit: they tie nobody together.
HUBS = {
    "kind": TEXT,
    "value": TEXT,
    "degree": COUNT,  # different neighbours
    "limit": COUNT,
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
    "group_id": TEXT,  # the group that it is opened with, null when it stands alone
    # Calibrated share of confirmed among the reviewed units of its band; null until
    # there are enough reviews.
    "band_low": NUMBER,
    "band_high": NUMBER,
    "office": TEXT,  # which office reviews it; null = the model declares none
    # Share of the unit's peers with a smaller score; null where it declares no peers.
    "peer_percentile": NUMBER,
}

# A ring: associated units that an analyst opens together. Ranks start at 1.
GROUPS = {
    "group_id": TEXT,
    "rank": COUNT,
    "score": NUMBER,  # in [0, 1], a rank scale
    "title": TEXT,  # the node that ties most of them, masked when sensitive
    "units": COUNT,
    "money": NUMBER,
    "density": NUMBER,  # pairs of members that share a point, of all pairs
    "codes": TEXT,  # rules that fired on at least half of them, comma separated
    "reason_en": TEXT,
    "reason_zh": TEXT,
}

GROUP_MEMBERS = {
    "group_id": TEXT,
    "unit_id": TEXT,
    "position": COUNT,  # 1 = best rank_fused
}

# How two nodes are tied; labels are masked where a column is sensitive.
_TIE = {
    "left_kind": TEXT,
    "left": TEXT,
    "right_kind": TEXT,
    "right": TEXT,
    "role_en": TEXT,  # what one is to the other there, such as claimant; may be null
    "role_zh": TEXT,
    "source": TEXT,
    "department_en": TEXT,
    "department_zh": TEXT,
    "row_key": TEXT,  # the earliest of the rows that say so
    "rows": COUNT,
    "event_at": TIME,  # may be null, and so may known_at
    "known_at": TIME,
    "probability": NUMBER,
}

GROUP_TIES = {
    "group_id": TEXT,
    "position": COUNT,  # 1 = carries most
    **_TIE,
}

# The way from a lead to another one: each step begins at the node where the step before
# it ended.
PATHS = {
    "unit_id": TEXT,
    "path": COUNT,  # 1 = the most telling way
    "step": COUNT,
    "other": TEXT,  # the unit at its end
    **_TIE,
}

REASONS = {
    "unit_id": TEXT,
    "position": COUNT,  # 1 = look here first
    # 'value' (one column is odd), 'relation' (breaks a correlation with other columns),
    # 'peers' (odd within its peer group) or 'network'
    "kind": TEXT,
    "feature": TEXT,
    "value": TEXT,
    "peer_median": TEXT,  # of all units; of the peer group where kind is 'peers'
    "percentile": NUMBER,  # share of all units with a smaller value, in [0, 1]
    # Fall of the detectors' score (sd), had the value been the median of all; for a
    # relation, what the other values let expect. May be 0 or less for a relation.
    "contribution": NUMBER,
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

# What is to be reviewed of a list: its top, and units drawn at random from the rest.
SLOTS = {
    "unit_id": TEXT,
    "position": COUNT,  # 1..n
    "kind": TEXT,  # 'top' or 'explore'
    "stratum": TEXT,  # 'top'; of the draw 'near', 'far' or, when one is drawn, 'below'
    "propensity": NUMBER,  # drawn of the units of the stratum, in (0, 1]; 1 for the top
}

# What carries a lead's place in the fused order, by who says it.
PARTS = {
    "unit_id": TEXT,
    "position": COUNT,  # 1 = carries most
    "part": TEXT,  # 'detector:<name>', 'rule:<code>', 'neighbours' or 'reviews'
    # Log-odds; sd of the population once reviews have taught the order.
    "contribution": NUMBER,
    "text_en": TEXT,
    "text_zh": TEXT,
}

COUNTERFACTUALS = {
    "unit_id": TEXT,
    "position": COUNT,
    "rank": COUNT,  # the rank that the unit would fall to, from 1
    "text_en": TEXT,
    "text_zh": TEXT,
}

# What the console shows of explained leads, kept as files beside the list. Sensitive
# values stand in them unmasked: a console masks them until they are opened.

# Source rows as delivered, ordered by unit and place.
ROWS = {
    "unit_id": TEXT,
    "source": TEXT,
    "row_key": TEXT,
    "batch": TEXT,
    "line": COUNT,
    "event_at": TIME,  # may be null
    "known_at": TIME,
    "content": TEXT,  # JSON: column -> value as text, null where unknown
}

# The nodes around explained leads and groups, ordered by key.
NODES = {
    "key": TEXT,  # token of kind and value, the same in every run and model
    "kind": TEXT,
    "label": TEXT,  # masked when sensitive
    "value": TEXT,
    "sensitive": FLAG,
    "degree": COUNT,  # neighbours in the whole run
    "unit_id": TEXT,  # where the node is a unit; else null
}

# What ties these nodes, each tie once from either end, ordered by node.
TIES = {
    "node": TEXT,  # a key
    "other": TEXT,
    "role_en": TEXT,
    "role_zh": TEXT,
    "source": TEXT,
    "department_en": TEXT,
    "department_zh": TEXT,
    "row_key": TEXT,
    "rows": COUNT,
    "event_at": TIME,
    "known_at": TIME,
    "probability": NUMBER,
}

# Which unit is tied to which node, of all units, ordered by key.
TOKENS = {
    "key": TEXT,
    "kind": TEXT,
    "unit_id": TEXT,
    "role_en": TEXT,
    "role_zh": TEXT,
}

# Links that a person should judge, the most doubtful first.
DOUBTS = {
    "entity": TEXT,
    "left": TEXT,  # a record
    "right": TEXT,
    "probability": NUMBER,
    "found_by": TEXT,
    "left_says": TEXT,  # JSON: attribute -> value
    "right_says": TEXT,
    "sensitive": TEXT,  # names of attributes to mask, comma separated
    "left_key": TEXT,  # node of the entity that the record belongs to; may be null
    "right_key": TEXT,
}

# The units most like an explained lead.
LIKES = {
    "unit_id": TEXT,
    "position": COUNT,
    "other": TEXT,
    "how": TEXT,  # 'node' (a shared point) or 'method'
    "likeness": NUMBER,  # in [0, 1]
    "text_en": TEXT,
    "text_zh": TEXT,
}

DOSSIER = {
    "rows": ROWS,
    "nodes": NODES,
    "ties": TIES,
    "tokens": TOKENS,
    "doubts": DOUBTS,
    "likes": LIKES,
}

# What analysts concluded; only ever added to, the last one of a unit holds.
DISPOSITIONS = {
    "model": TEXT,
    "run_id": TEXT,  # the list that it was reviewed in
    "unit_id": TEXT,
    # 'confirmed', 'excluded', 'needs_information', 'transferred' or 'withdrawn'
    "verdict": TEXT,
    "reason": TEXT,
    "user": TEXT,
    "at": TIME,  # UTC
    "cause": TEXT,  # of 'excluded', such as 'register_error'; else empty
    "seconded_by": TEXT,  # who agreed, where the model asks for a second person
}

# What the dispositions that stand teach.
LABELS = {
    "unit_id": TEXT,
    "run_id": TEXT,  # whose features it was reviewed under
    "label": NUMBER,  # 1 confirmed, 0 not
    "decided_at": TIME,  # UTC
    "group_id": TEXT,  # of that run; one ring is one example; null = alone
    "kind": TEXT,  # how it came to be reviewed: 'top', 'explore' or 'other'
    "propensity": NUMBER,  # 1 for the top, of the draw for explore, else null
    "reviewer": TEXT,  # who concluded
}

# Who let which trained version score; only ever added to.
RELEASES = {
    "model": TEXT,
    "version": TEXT,
    "action": TEXT,  # 'proposed', 'approved', 'promoted' or 'rolled_back'
    "reason": TEXT,
    "user": TEXT,
    "at": TIME,  # UTC
}

# What the data say of each rule's lawful explanation; null where a lead is not explained.
PUBLISHED_HITS = {**RULE_HITS, "says_en": TEXT, "says_zh": TEXT}

PUBLISHED = {
    "leads": LEADS,
    "groups": GROUPS,
    "rule_hits": PUBLISHED_HITS,
    "reasons": REASONS,
    "evidence": EVIDENCE,
    "group_members": GROUP_MEMBERS,
    "group_ties": GROUP_TIES,
    "paths": PATHS,
    "slots": SLOTS,
    "parts": PARTS,
    "counterfactuals": COUNTERFACTUALS,
}
