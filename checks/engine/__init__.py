"""What finds the rules, runs them and holds their findings."""
