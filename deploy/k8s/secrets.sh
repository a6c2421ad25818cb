#!/bin/sh
# Makes the Secrets that the manifests refer to, with new passwords; prints them for
# `kubectl apply -f -`. Run it once; afterwards the cluster's Secrets are the truth.
#
#   DATABASE_URL    postgresql+psycopg://user:password@host:5432/database, for workers and console
#   MIGRATE_URL     the same as the owner of the tables (default: DATABASE_URL)
#   S3_ACCESS_KEY, S3_SECRET_KEY
#   BROKER_HOST     RabbitMQ's name, for the autoscaler (default: rabbitmq.packshot.svc)
#   ADMIN_USER, ADMIN_PASSWORD    RabbitMQ's administrator; leave them out with the cluster operator
#
# POSTGRES=cloudnative-pg makes a password for the component's cluster instead of DATABASE_URL.
set -eu
: "${NAMESPACE:=packshot}" "${BROKER_HOST:=rabbitmq.packshot.svc}" "${KUBECTL:=kubectl}"
: "${S3_ACCESS_KEY:?}" "${S3_SECRET_KEY:?}"
new() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
secret() {
  echo "---"
  "$KUBECTL" create secret generic --namespace "$NAMESPACE" --dry-run=client -o yaml "$@"
}

if [ "${POSTGRES:-}" = cloudnative-pg ]; then
  password=$(new)
  DATABASE_URL="postgresql+psycopg://packshot:$password@packshot-postgres-rw:5432/packshot"
  secret packshot-postgres-owner --from-literal=username=packshot --from-literal=password="$password"
fi
secret packshot-database --from-literal=url="${DATABASE_URL:?}" \
  --from-literal=migrate-url="${MIGRATE_URL:-$DATABASE_URL}"
secret packshot-objects --from-literal=access-key="$S3_ACCESS_KEY" \
  --from-literal=secret-key="$S3_SECRET_KEY"
secret packshot-console --from-literal=secret="$(new)"
secret packshot-flower --from-literal=basic-auth="operator:$(new)"

set -- packshot-broker
for user in producer subscriber io ocr recognition matting gpu all console flower operator; do
  set -- "$@" --from-literal="packshot-$user=$(new)"
done
exporter=$(new)
secret "$@" --from-literal="packshot-exporter=$exporter"
secret packshot-keda \
  --from-literal=rabbitmq-host="http://packshot-exporter:$exporter@$BROKER_HOST:15672/packshot"
if [ -n "${ADMIN_PASSWORD:-}" ]; then
  secret packshot-broker-admin --from-literal=username="${ADMIN_USER:?}" \
    --from-literal=password="$ADMIN_PASSWORD"
fi
