"""The page's list of keys: each with its databases, its life, and who may use it."""
