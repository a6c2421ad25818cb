#!/bin/sh
# New passwords for compose.yaml: .env and secrets/, both ignored by git. Asks before it replaces
# some, since the servers' volumes keep the old ones (`docker compose down --volumes` empties them).
set -eu
cd "${1:-$(dirname "$0")}"
if [ -e .env ] && [ "${2:-}" != --replace ]; then
  echo "There are passwords already: secrets.sh . --replace makes new ones." >&2
  exit 1
fi
umask 077
new() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

mkdir -p secrets/broker
{
  for name in RABBITMQ_PASSWORD POSTGRES_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY CONSOLE_SECRET \
    FLOWER_PASSWORD GRAFANA_PASSWORD; do
    echo "$name=$(new)"
  done
  for user in operator io gpu console exporter flower producer; do
    password=$(new)
    printf %s "$password" >"secrets/broker/packshot-$user"
    echo "BROKER_$(echo "$user" | tr a-z A-Z)=$password"
  done
} >.env
. ./.env
cat >secrets/s3.json <<END
{"identities": [{"name": "packshot", "credentials": [{"accessKey": "$S3_ACCESS_KEY",
 "secretKey": "$S3_SECRET_KEY"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
END
# The containers' users read these through a mount and are nobody here.
chmod 755 secrets secrets/broker
chmod 644 secrets/broker/* secrets/s3.json
echo "Passwords are in $(pwd)/.env."
