"""The one app of the store: published runs, their leads and what explains them."""
