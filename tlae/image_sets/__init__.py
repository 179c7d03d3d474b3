"""Sorts large sets of pictures: descriptors, groups and outliers, and looking at them."""
