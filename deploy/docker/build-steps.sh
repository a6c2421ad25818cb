#!/bin/sh
# Everything that makes an image, without an image: the Dockerfile calls these steps, and so does a
# test in a scratch folder. Run in the root of the sources.
#
#   build-steps.sh install ROOT LOCK   ROOT/venv from requirements/LOCK.lock, then Packshot itself
#   build-steps.sh weights ROOT        ROOT/models: the default weights, checked and prepared
#   build-steps.sh slim ROOT LOCK      take out what only the build needed
#
# PYTHON names the interpreter of the finished image: a venv remembers its path.
set -eu

: "${PYTHON:=python3}"
step=$1
root=$2
pip="$root/venv/bin/python -m pip --disable-pip-version-check --no-input"

install() {
  "$PYTHON" -m venv "$root/venv"
  # The locks are complete and hashed: nothing is resolved, nothing is built from an archive.
  # Compiled once, at the end, on all cores.
  $pip install --quiet --no-compile --no-deps --require-hashes --only-binary :all: \
    -r "requirements/$1.lock" -r requirements/build.lock
  $pip install --quiet --no-compile --no-deps --no-build-isolation .
}

weights() {
  "$root/venv/bin/packshot" models --cache "$root/models" pull
}

names() {
  sed -n 's/^\([a-z0-9_.-]*\)==.*/\1/p' "requirements/$1.lock" | sort
}

slim() {
  only_build=$(names build >"$root/build" && names "$1" | comm -23 "$root/build" -)
  rm "$root/build"
  # pip goes too, at the end: who breaks in should not find a way to install.
  # shellcheck disable=SC2086
  $pip uninstall --quiet --yes $only_build
  find "$root/venv" -type d -name tests -path '*/site-packages/*' -prune -exec rm -rf {} +
  # The file system will be read-only: compile now, or every start compiles again.
  "$root/venv/bin/python" -m compileall -q -j 0 "$root/venv/lib"
  $pip uninstall --quiet --yes setuptools 2>/dev/null
  $pip uninstall --quiet --yes pip
}

case $step in
  install) install "$3" ;;
  weights) weights ;;
  slim) slim "$3" ;;
  *) echo "build-steps.sh: no step $step" >&2; exit 2 ;;
esac
