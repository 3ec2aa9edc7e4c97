"""Two rules as checks of Checkov, which takes them by ``--external-checks-dir``."""
