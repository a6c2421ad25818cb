"""The Secrets that people make: their names and keys, as deploy/k8s/secrets.sh makes them."""

from workers.access import users

SECRETS: dict[str, set[str]] = {
    "packshot-broker": {user.name for user in users()},
    "packshot-broker-admin": {"username", "password"},
    "packshot-database": {"url", "migrate-url"},
    "packshot-objects": {"access-key", "secret-key"},
    "packshot-console": {"secret"},
    "packshot-flower": {"basic-auth"},
    "packshot-keda": {"rabbitmq-host"},
    # Made by the operators or their users.
    "packshot-postgres-owner": {"username", "password"},
    "rabbitmq-default-user": {"username", "password"},
    "packshot-console-tls": {"tls.crt", "tls.key"},
}
