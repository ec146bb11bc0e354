# The handlers. Each reads its event from the standard input and writes its answer.

# The first text of that name in the event on the standard input.
field() {
  tr ',{}' '\n\n\n' | sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | head -n 1
}

guests() {
  tr ',{}' '\n\n\n' | sed -n 's/.*"value" *: *"\([^"]*\)".*/\1/p' | while read -r value; do
    echo "$GREETING $(printf %s "$value" | base64 -d)" >&2
  done
  echo '{}'
}

greet() {
  guest=$(field guest)
  printf '{"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "%s %s"}' "$GREETING" "$guest"
}

speak() {
  event=$(cat)
  case $(printf %s "$event" | field routeKey) in
    '$connect')
      # Nobody comes in without a name.
      if [ -n "$(printf %s "$event" | field guest)" ]; then echo '{"statusCode": 200}'; else echo '{"statusCode": 403}'; fi
      ;;
    *) printf '{"statusCode": 200, "body": "%s %s"}' "$GREETING" "$(printf %s "$event" | field body)" ;;
  esac
}
