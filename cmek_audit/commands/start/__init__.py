"""The commands by which you begin: the first files of an audit, and their schemas."""
