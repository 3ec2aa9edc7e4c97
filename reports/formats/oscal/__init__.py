"""Assessment results and a plan of action and milestones in OSCAL, NIST's language of controls."""
