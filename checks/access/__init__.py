"""Who may use a key: policies and grants of AWS, bindings of Google Cloud."""
