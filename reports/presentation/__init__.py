"""Words, order and harmless text that several formats share."""
