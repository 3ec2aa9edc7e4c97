#!/bin/sh
# /opt/cmek-audit/nightly.sh
# Audits, and prints only if the audit does not end with 0: cron sends a mail of what is printed.
set -eu
umask 077
state=/var/lib/cmek-audit
export ASTRA_TOKEN_ACME_PROD_FILE=/etc/cmek-audit/tokens/acme-prod
export ASTRA_TOKEN_ACME_NEW_FILE=/etc/cmek-audit/tokens/acme-new

# The lock comes before the log, so that a second run changes nothing of the first.
exec 9> "$state/lock"
if ! flock --nonblock 9; then
    echo "The audit that began before is still running, so this one did not begin." >&2
    exit 75
fi
cd "$state"
code=0
/opt/cmek-audit/.venv/bin/cmek-audit audit \
    --cmek-live=/etc/cmek-audit/organizations.yaml \
    --cmek-history="$state/evidence" \
    --cmek-evidence-dir="$state/evidence" \
    --cmek-report-dir="$state/report" > last.txt 2>&1 || code=$?
if [ "$code" != 0 ]; then
    cat last.txt
fi
exit "$code"
