#!/usr/bin/env bash
# What the GitHub Action does, by steps: `install`, then `check`. Its inputs are variables, so that
# nothing of a pull request is ever part of a script.
set -euo pipefail

install() {
  local tool="$RUNNER_TEMP/imageshift"
  "${PYTHON:-python3}" -m venv "$tool"
  "$tool/bin/python" -m pip install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH}[charts]"
}

# Runs imageshift. The runner reads commands from the narration too, so no line of it begins as one.
imageshift() {
  "${IMAGESHIFT:-$RUNNER_TEMP/imageshift/bin/imageshift}" "$@" \
    2> >(sed -e 's/##\[/## [/g' -e 's/^/imageshift: /' >&2)
}

lines() { # The lines of a text that aren't empty, into the array `found`.
  found=()
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -z $line ]] || found+=("$line")
  done <<<"$1"
}

is_report() { [[ $1 == 0 || $1 == 1 || $1 == 3 || $1 == 4 ]]; }

check() {
  local -a found options paths
  lines "${INPUT_ARGS:-}"
  options=("${found[@]}")
  lines "${INPUT_PATHS:-.}"
  paths=("${found[@]}")
  [[ ${INPUT_OFFLINE:-true} == false ]] || options+=(--offline)
  [[ ${INPUT_STRICT:-false} == false ]] || options+=(--strict)
  [[ -z ${INPUT_CONFIG:-} ]] || options+=(--config "$INPUT_CONFIG")
  [[ -z ${INPUT_CHANGED:-} ]] || options+=(--changed "$INPUT_CHANGED")
  [[ -z ${INPUT_BASELINE:-} ]] || options+=(--baseline "$INPUT_BASELINE")

  local code=0
  imageshift check "${options[@]}" --format github -- "${paths[@]}" || code=$?
  echo "exit-code=$code" >>"$GITHUB_OUTPUT"
  if is_report "$code"; then
    report markdown "$GITHUB_STEP_SUMMARY.imageshift"
    cat "$GITHUB_STEP_SUMMARY.imageshift" >>"$GITHUB_STEP_SUMMARY"
    [[ -z ${INPUT_SARIF:-} ]] || report sarif "$INPUT_SARIF"
    [[ -z ${INPUT_COMMENT:-} ]] || report markdown "$INPUT_COMMENT"
    [[ -z ${INPUT_PAGE:-} ]] || report html "$INPUT_PAGE"
  fi
  exit "$code"
}

report() { # The same findings in another format, into a file.
  local code=0
  imageshift check "${options[@]}" --quiet --format "$1" --output "$2" -- "${paths[@]}" || code=$?
  is_report "$code" || exit "$code"
}

case "${1:-}" in
  install | check) "$1" ;;
  *) echo "usage: $0 install|check" >&2 && exit 2 ;;
esac
