"""Dashboards: what the store tells of a model's lists and reviews, as figures."""
