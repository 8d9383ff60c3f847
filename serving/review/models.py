"""Where the review of each unit stands. What was concluded is `leads.Disposition`."""

from django.db import models


class UnitState(models.Model):
    """The state of a unit that somebody touched; a unit without a row is open.

    `version` grows with every change: who saw an older one may not overwrite it.
    """

    model = models.TextField()
    unit_id = models.TextField()
    state = models.TextField(default="open")  # see serving.review.states.STATES
    assignee = models.TextField(default="")  # a username
    assigned_by = models.TextField(default="")
    assigned_at = models.DateTimeField(null=True)
    due = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["model", "unit_id"], name="state_once"),
        )
        indexes = (
            models.Index(fields=["model", "state"], name="state_of"),
            models.Index(fields=["assignee", "due"], name="state_assigned"),
        )


class Proposal(models.Model):
    """A conclusion that waits for a second person; only ever added to."""

    model = models.TextField()
    run = models.ForeignKey("leads.Run", models.PROTECT, related_name="proposals")
    unit_id = models.TextField()
    verdict = models.TextField()
    cause = models.TextField(default="")
    reason = models.TextField()
    user = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["model", "unit_id"], name="proposed"),)


class Answer(models.Model):
    """What the second person said; only ever added to."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="answer")
    agreed = models.BooleanField()
    reason = models.TextField(default="")
    user = models.TextField()
    at = models.DateTimeField()


class Draft(models.Model):
    """What a user had typed about a unit, so that nothing is lost."""

    user = models.TextField()
    model = models.TextField()
    unit_id = models.TextField()
    form = models.JSONField()
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "model", "unit_id"], name="draft_once"
            ),
        )


class SavedView(models.Model):
    """A filter of a list under a name; `shared` shows it to all who see the model."""

    user = models.TextField()
    model = models.TextField()
    name = models.CharField(max_length=100)
    query = models.TextField()  # as in the address of the list
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "model", "name"], name="view_once"),
        )


class Team(models.Model):
    """Who shares the work of a model and office, and how many leads a week they open."""

    name = models.CharField(max_length=100, unique=True)
    model = models.TextField()
    office = models.TextField(default="")  # empty: all offices
    weekly_capacity = models.PositiveIntegerField()
    members = models.ManyToManyField("access.User", related_name="teams")
