#!/usr/bin/env bash
# Proves the Dockerfile where no container engine runs: performs its own COPY and RUN steps in a folder, starts its CMD
# there as its USER with a mounted configuration, and waits until its HEALTHCHECK is content.
#
#   deploy/prove-image.sh [<configuration>]
#
# <configuration> is a folder with federation.json, mounted read-only as /etc/crocevia; without it, deploy/example with
# the development certificates as its pki. The gateway must put its operator port where the HEALTHCHECK looks. Paths under
# /app, /etc/crocevia and /var/lib/crocevia that the steps and federation.json name are taken inside the folder. Node is
# the project's own (npm ci comes first), and must be of the version in FROM.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
configuration=${1:-}
dockerfile=$project/Dockerfile
image=$(mktemp -d)
chmod 755 "$image"
gateway=
finish() {
  if [ -n "$gateway" ]; then kill -KILL -- "-$gateway" 2>/dev/null || true; fi
  rm -rf "$image"
}
trap finish EXIT

# The instructions of the Dockerfile, one a line.
instructions() { sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$dockerfile" | sed -e ':a' -e '/\\$/N; s/\\\n//; ta'; }
argument() { instructions | sed -n "s/^$1 //p" | tail -n 1; }
inside() { sed -E "s#(^|[[:space:]\"'=])/(app|etc/crocevia|var/lib/crocevia)#\1$image/\2#g"; }
# An exec form ["node", "x"] as arguments, one a line of base64, so that no shell reads them.
arguments() { "$node" -e 'for (const one of JSON.parse(process.argv[1])) console.log(Buffer.from(one).toString("base64"))' "$1"; }
words() { while read -r word; do list+=("$(printf %s "$word" | base64 -d)"); done < <(arguments "$1"); }

# The base image: Node alone, where any user can run it.
mkdir -p "$image/usr/local/bin"
node=$image/usr/local/bin/node
cp "$("$project/node_modules/.bin/node" -p process.execPath)" "$node"
chmod 755 "$node"
wanted=$(argument FROM | sed -E 's/^node:([0-9]+).*/\1/')
running=$("$node" -p 'process.versions.node.split(".")[0]')
if [ "$wanted" != "$running" ]; then
  echo "The Dockerfile wants Node $wanted, this is Node $running" >&2
  exit 1
fi
export PATH=$image/usr/local/bin:$PATH

folder=$image
while IFS= read -r line; do
  instruction=${line%% *}
  rest=${line#* }
  case $instruction in
    FROM | VOLUME | EXPOSE | HEALTHCHECK | CMD | USER) ;;
    ENV) export "${rest?}" ;;
    WORKDIR)
      folder=$image$rest
      mkdir -p "$folder"
      ;;
    COPY)
      read -ra parts <<<"$rest"
      target=${parts[-1]}
      unset 'parts[-1]'
      echo "COPY ${parts[*]} $target"
      for part in "${parts[@]}"; do
        if [ -d "$project/$part" ]; then
          mkdir -p "$folder/$target"
          cp -R "$project/$part/." "$folder/$target/"
        else
          cp "$project/$part" "$folder/$target"
        fi
      done
      ;;
    RUN)
      echo "RUN $rest"
      command=$(printf '%s' "$rest" | inside)
      # Only root gives files to others; anybody else is the owner already.
      if [ "$(id -u)" != 0 ]; then command=$(printf '%s' "$command" | sed -E 's/ -[og] [0-9]+//g'); fi
      (cd "$folder" && bash -euc "$command" </dev/null)
      ;;
    *)
      echo "The Dockerfile has a step that this proof cannot perform: $instruction" >&2
      exit 1
      ;;
  esac
done < <(instructions)

user=$(argument USER)
case $user in
  0 | 0:* | root | root:*) echo "The image runs as root" >&2; exit 1 ;;
esac
as_user=()
if [ "$(id -u)" = 0 ]; then
  as_user=(setpriv "--reuid=${user%%:*}" "--regid=${user##*:}" --clear-groups --no-new-privs)
fi

# The mounted configuration: readable by the user, writable by nobody.
mkdir -p "$image/etc/crocevia"
if [ -n "$configuration" ]; then
  cp -RL "$configuration/." "$image/etc/crocevia/"
else
  cp "$project/deploy/example/federation.json" "$image/etc/crocevia/"
  "$node" "$project/certs-dev/make.ts" "$image/etc/crocevia/pki" >/dev/null
fi
inside <"$image/etc/crocevia/federation.json" >"$image/federation.json"
mv "$image/federation.json" "$image/etc/crocevia/federation.json"
if [ "$(id -u)" = 0 ]; then chown -R "$user" "$image/etc/crocevia"; fi
chmod -R u+rX,a-w "$image/etc/crocevia"

list=()
words "$(argument CMD | inside)"
start=("${list[@]}")
list=()
words "$(argument HEALTHCHECK | sed -E 's/.* CMD (\[.*)/\1/')"
health=("${list[@]}")

cd "$folder"
if "${as_user[@]}" "${health[@]}" >/dev/null 2>&1; then
  echo "Something else answers the HEALTHCHECK on this machine already" >&2
  exit 1
fi
echo "CMD ${start[*]#"$image"}"
set -m
"${as_user[@]}" "${start[@]}" >"$image/log" 2>&1 </dev/null &
gateway=$!
set +m

healthy=
for _ in $(seq 1 40); do
  kill -0 "$gateway" 2>/dev/null || break
  if "${as_user[@]}" "${health[@]}"; then
    healthy=yes
    break
  fi
  sleep 0.5
done
if [ -z "$healthy" ]; then
  echo "The gateway did not become healthy. It said:" >&2
  tail -n 40 "$image/log" >&2
  exit 1
fi
owner=$(stat -c %u "/proc/$gateway")
if [ "$(id -u)" = 0 ] && [ "$owner" != "${user%%:*}" ]; then
  echo "The gateway runs as user $owner" >&2
  exit 1
fi
echo "HEALTHCHECK is content; the gateway runs as user $owner"

kill -TERM "$gateway"
for _ in $(seq 1 60); do
  kill -0 "$gateway" 2>/dev/null || break
  sleep 0.5
done
if kill -0 "$gateway" 2>/dev/null; then
  echo "The gateway did not end within 30 seconds of SIGTERM" >&2
  exit 1
fi
code=0
wait "$gateway" || code=$?
gateway=
if [ "$code" != 0 ]; then
  echo "The gateway ended with $code after SIGTERM" >&2
  exit 1
fi
echo "SIGTERM ends it with 0"
