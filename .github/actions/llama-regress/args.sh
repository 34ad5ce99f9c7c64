# Sourced by the steps: how inputs become arguments. A value always stands
# behind its flag and an equals sign, so that none is taken for a flag.

args=()

add() { # FLAG VALUE: leaves out what is empty
  if [ -n "$2" ]; then args+=("$1=$2"); fi
}

add_lines() { # FLAG TEXT: once for every line that is not empty
  local line
  while IFS= read -r line; do add "$1" "$line"; done <<<"$2"
}

add_gate() { # what judges the same wherever it is judged
  add --config "${CONFIG-}"
  add_lines --margin "${MARGIN-}"
  add --fail "${FAIL-}"
}
