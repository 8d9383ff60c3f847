"""The tables of the store. Triggers (`immutability.py`) keep a published run as it is.

A run's row is inserted last, in the transaction of its leads: a run that can be seen is
complete, and nothing can be added to it. `serving.publish` is the only writer.
"""

from django.db import models


class SupervisionModel(models.Model):
    id = models.SlugField(primary_key=True, max_length=100, db_index=False)
    title_en = models.TextField()
    title_zh = models.TextField()


class Run(models.Model):
    id = models.TextField(primary_key=True)
    model = models.ForeignKey(
        SupervisionModel, models.PROTECT, related_name="runs", db_index=False
    )
    # The tables' times carry no zone; kept as if they were UTC and read back without.
    as_of = models.DateTimeField()
    inputs = models.TextField()
    config_hash = models.TextField()
    mlflow_run = models.TextField()
    model_version = models.TextField()
    model_digest = models.TextField(default="")  # SHA-256 over the model's files
    units = models.PositiveIntegerField()  # scored, listed or not
    counts = models.JSONField()  # rows of each published table
    funnel = models.JSONField()
    coverage = models.JSONField()
    fingerprints = models.JSONField()
    # Frozen inputs: name -> path below the folder of published files, and sha256.
    files = models.JSONField(default=dict)
    form = models.PositiveSmallIntegerField(default=1)  # see serving.digest
    kinds = models.JSONField()  # titles of the kinds of nodes
    links = models.JSONField()  # summary of the resolution of entities
    about = models.JSONField(default=dict)  # see serving.about
    scores_path = models.TextField()  # below the folder of published files
    scores_sha256 = models.TextField()
    digest = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["model", "as_of", "inputs"], name="run_once"
            ),
        )

    @property
    def listed(self) -> int:
        """How many of the scored units are leads."""
        return int(self.counts["leads"])


class RunRule(models.Model):
    """What a rule says in every lead of a run: kept once, not with each hit."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="rules", db_index=False)
    code = models.TextField()
    layer = models.PositiveSmallIntegerField()
    lawful_en = models.TextField()
    lawful_zh = models.TextField()
    hits = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["run", "code"], name="run_rule_once"),
        )


class Lead(models.Model):
    # Numbered by `publish` by rank_fused from the run's first one on, so that the rows
    # that hang on a lead can be written in bulk without reading ids back.
    id = models.BigIntegerField(primary_key=True)
    run = models.ForeignKey(Run, models.PROTECT, related_name="leads", db_index=False)
    unit_id = models.TextField()
    title = models.TextField()
    money = models.FloatField(null=True)
    score = models.FloatField()
    rules = models.FloatField()
    fused = models.FloatField()
    rank_score = models.PositiveIntegerField()
    rank_rules = models.PositiveIntegerField()
    rank_fused = models.PositiveIntegerField()
    found_by = models.TextField()
    silent = models.TextField()
    group_id = models.TextField(null=True)  # as it is named in its run
    band_low = models.FloatField(null=True)
    band_high = models.FloatField(null=True)
    office = models.TextField(null=True)
    peer_percentile = models.FloatField(null=True)

    class Meta:
        # Their indexes answer `one unit of a run` and `top N` in each order.
        constraints = (
            models.UniqueConstraint(fields=["run", "unit_id"], name="lead_unit"),
            models.UniqueConstraint(fields=["run", "rank_fused"], name="lead_fused"),
            models.UniqueConstraint(fields=["run", "rank_score"], name="lead_score"),
            models.UniqueConstraint(fields=["run", "rank_rules"], name="lead_rules"),
        )
        indexes = (
            models.Index(fields=["run", "office", "rank_fused"], name="lead_office"),
            models.Index(fields=["run", "group_id"], name="lead_group"),
            models.Index(fields=["unit_id"], name="lead_everywhere"),
            models.Index(fields=["run", "-money", "rank_fused"], name="lead_money"),
            models.Index(fields=["run", "found_by", "rank_fused"], name="lead_found"),
        )


class Group(models.Model):
    id = models.BigIntegerField(primary_key=True)  # numbered like the leads, by rank
    run = models.ForeignKey(Run, models.PROTECT, related_name="groups", db_index=False)
    group_id = models.TextField()
    rank = models.PositiveIntegerField()
    score = models.FloatField()
    title = models.TextField()
    units = models.PositiveIntegerField()
    money = models.FloatField(null=True)
    density = models.FloatField()
    codes = models.TextField()
    reason_en = models.TextField()
    reason_zh = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["run", "rank"], name="group_rank"),
            models.UniqueConstraint(fields=["run", "group_id"], name="group_once"),
        )


class RuleHit(models.Model):
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="hits", db_index=False)
    code = models.TextField()
    layer = models.PositiveSmallIntegerField()
    reason_en = models.TextField()
    reason_zh = models.TextField()
    says_en = models.TextField(default="")
    says_zh = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["lead", "code"], name="hit_once"),
        )
        # Ids of leads follow their ranks: one rule's leads in the order of the list.
        indexes = (models.Index(fields=["code", "lead"], name="hit_by_code"),)


class Reason(models.Model):
    lead = models.ForeignKey(
        Lead, models.PROTECT, related_name="reasons", db_index=False
    )
    position = models.PositiveIntegerField()
    kind = models.TextField(default="value")  # as all were before kinds were told apart
    feature = models.TextField()
    value = models.TextField(null=True)
    peer_median = models.TextField(null=True)
    percentile = models.FloatField(null=True)
    contribution = models.FloatField(null=True)
    text_en = models.TextField()
    text_zh = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["lead", "position"], name="reason_once"),
        )


class Evidence(models.Model):
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="evidence")
    source = models.TextField()
    department_en = models.TextField()
    department_zh = models.TextField()
    batch = models.TextField()
    row_key = models.TextField()
    line = models.BigIntegerField(null=True)


class GroupMember(models.Model):
    group = models.ForeignKey(
        Group, models.PROTECT, related_name="members", db_index=False
    )
    lead = models.OneToOneField(Lead, models.PROTECT, related_name="membership")
    position = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["group", "position"], name="member_once"),
        )


class Tie(models.Model):
    """How two nodes are tied, and which row says so."""

    left_kind = models.TextField()
    left = models.TextField()
    right_kind = models.TextField()
    right = models.TextField()
    role_en = models.TextField()
    role_zh = models.TextField()
    source = models.TextField()
    department_en = models.TextField()
    department_zh = models.TextField()
    row_key = models.TextField()
    rows = models.BigIntegerField()
    # Without a zone, like the as-of date of a run.
    event_at = models.DateTimeField(null=True)
    known_at = models.DateTimeField(null=True)
    probability = models.FloatField()

    class Meta:
        abstract = True


class GroupTie(Tie):
    group = models.ForeignKey(
        Group, models.PROTECT, related_name="ties", db_index=False
    )
    position = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["group", "position"], name="tie_once"),
        )


class PathStep(Tie):
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="steps", db_index=False)
    path = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    other = models.TextField()  # unit_id of another lead of the run

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["lead", "path", "step"], name="step_once"),
        )


class Slot(models.Model):
    """A unit of a run that is to be reviewed, and how likely it was to be drawn."""

    lead = models.OneToOneField(Lead, models.PROTECT, related_name="slot")
    position = models.PositiveIntegerField()
    kind = models.TextField()
    stratum = models.TextField()
    propensity = models.FloatField()


class Part(models.Model):
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="parts", db_index=False)
    position = models.PositiveIntegerField()
    part = models.TextField()
    contribution = models.FloatField()
    text_en = models.TextField()
    text_zh = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["lead", "position"], name="part_once"),
        )


class Counterfactual(models.Model):
    lead = models.ForeignKey(
        Lead, models.PROTECT, related_name="counterfactuals", db_index=False
    )
    position = models.PositiveIntegerField()
    rank = models.PositiveIntegerField()
    text_en = models.TextField()
    text_zh = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["lead", "position"], name="fall_once"),
        )


class Disposition(models.Model):
    """What an analyst concluded of a unit; only ever added to."""

    model = models.TextField()
    run = models.ForeignKey(
        Run, models.PROTECT, related_name="dispositions", db_index=False
    )
    unit_id = models.TextField()
    verdict = models.TextField()
    reason = models.TextField()
    user = models.TextField()
    at = models.DateTimeField()
    cause = models.TextField(default="")  # see serving.dispositions.CAUSES
    seconded_by = models.TextField(default="")

    class Meta:
        indexes = (
            models.Index(fields=["model", "unit_id"], name="disposed"),
            models.Index(fields=["model", "at"], name="disposed_at"),
        )


class Release(models.Model):
    """Who let which trained version score, and why; only ever added to."""

    model = models.TextField()
    version = models.TextField()
    action = models.TextField()
    reason = models.TextField()
    user = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["model", "version"], name="released"),)


class LinkJudgement(models.Model):
    """What a person said about two records; of no run, and only ever added to."""

    model = models.TextField()  # may be judged before it publishes anything
    entity = models.TextField()
    left = models.TextField()
    right = models.TextField()
    verdict = models.TextField()
    note = models.TextField()
    user = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["model", "entity", "left", "right"], name="judged"),
        )
