"""The store of published runs, a Django project; the review console joins it later."""
