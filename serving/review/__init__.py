"""The state of reviews: who works on what, second reviews, drafts, saved views, teams."""
