"""The stages in their order, called directly: what the CLI and the flows compose."""

from flows import steps
from flows.intake import SourceReport, intake, stop_on_problems
from flows.job import Job
from flows.link import Learnt
from flows.publish import publish_list
from flows.releases import Registered
from flows.score import champion_linkage
from flows.train import train
from serving.publication import PublishedRun


def prepare(job: Job, learnt: Learnt | None = None) -> list[SourceReport]:
    """Read the delivery, link records, build features; stops on a broken contract."""
    reports = intake(job)
    stop_on_problems(reports)
    build(job, learnt)
    return reports


def build(job: Job, learnt: Learnt | None = None) -> None:
    """From what was read to units, features and rule flags."""
    steps.link_records(job, learnt)
    steps.build_features(job)
    steps.apply_rules(job)


def train_model(job: Job, *, promote: bool = False) -> Registered:
    """From delivered tables to a registered model."""
    prepare(job)
    return train(job, promote=promote)


def score_and_publish(job: Job) -> PublishedRun:
    """From delivered tables to a published list, scored by the champion."""
    prepare(job, champion_linkage(job))
    make_list(job)
    return publish_list(job)


def make_list(job: Job) -> None:
    """From features and flags to all that a list is published of."""
    steps.score_units(job)
    steps.find_groups(job)
