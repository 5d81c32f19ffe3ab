#!/bin/sh
# Answers Git's two credential prompts, and only when they name exactly the repository's own host and scheme:
# a server that redirects elsewhere, or from https to http, is asked for nothing of ours.
case "$1" in
"$TRIREME_USERNAME_PROMPT")
  printf '%s\n' "$TRIREME_USERNAME"
  ;;
"$TRIREME_PASSWORD_PROMPT" | "$TRIREME_PASSWORD_PROMPT_ENCODED")
  if [ -n "$TRIREME_PASSWORD_FILE" ]; then
    exec cat -- "$TRIREME_PASSWORD_FILE"
  fi
  printf '%s\n' "$TRIREME_PASSWORD"
  ;;
*)
  exit 1
  ;;
esac
