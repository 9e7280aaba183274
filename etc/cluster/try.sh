#!/bin/bash
# Tries the cluster on this machine: two daemons, PostgreSQL, an S3 store and nginx, on free ports of loopback, all of it
# in one directory that is gone at the end. Nothing that runs already is touched, and root is not needed.
#
#   etc/cluster/try.sh [DIRECTORY]      a new directory; a temporary one unless given
#
#   S3_ENDPOINT, S3_BUCKET              a store that is there already, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY;
#                                       without them Debian's Ceph is started, which keeps the bytes in memory
#   S3_PREFIX                           the beginning of what is kept there (slipway-try-…); it stays behind
#   SLIPWAYD                            the command of the daemon, unless it is this one or the one that is installed
#
# Ctrl-C ends all of it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# What is set for another daemon is not meant for these.
for name in "${!SLIPWAY_@}"; do unset "$name"; done

say() { printf '%s\n' "$*"; }
fail() {
    say "try.sh: $*" >&2
    exit 1
}

# --- what has to be there ---------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null; }

# Debian keeps these where only root looks.
PATH=$PATH:/usr/sbin:/sbin
have node || fail "Node 20 is needed: https://nodejs.org"
have setpriv || fail "setpriv is needed: apt-get install util-linux"
have curl || fail "curl is needed: apt-get install curl"
have nginx || fail "nginx is needed: apt-get install nginx-light"

# The newest that is installed: Debian keeps the programs of a server aside.
initdb=$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)
initdb=${initdb:-$(command -v initdb || true)}
[ -n "$initdb" ] || fail "PostgreSQL is needed: apt-get install postgresql"
postgres_bin=$(dirname "$initdb")

if [ -n "${SLIPWAYD:-}" ]; then
    read -ra slipwayd <<<"$SLIPWAYD"
elif [ -f "$here/../../dist/server/main.js" ]; then
    slipwayd=(node --max-semi-space-size=16 "$(cd "$here/../.." && pwd)/dist/server/main.js")
elif have slipwayd; then
    slipwayd=(slipwayd)
elif [ -f "$here/../../tsconfig.json" ]; then
    fail "Slipway is not built yet: npm ci && npm run build"
else
    fail "slipwayd is not installed: npm install --global slipway-VERSION.tgz"
fi

own_ceph=
if [ -n "${S3_ENDPOINT:-}${S3_BUCKET:-}" ]; then
    [ -n "${S3_ENDPOINT:-}" ] || fail "S3_BUCKET is set, and S3_ENDPOINT is not: the URL of the store"
    [ -n "${S3_BUCKET:-}" ] || fail "S3_ENDPOINT is set, and S3_BUCKET is not: a bucket that exists"
    [ -n "${AWS_ACCESS_KEY_ID:-}${AWS_PROFILE:-}" ] || fail "the store needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
else
    own_ceph=yes
    for program in ceph ceph-mon ceph-mgr ceph-osd radosgw radosgw-admin; do
        have $program || fail "there is no S3 store. Either name one, with S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID and" \
            "AWS_SECRET_ACCESS_KEY, or let Ceph be started here: apt-get install --no-install-recommends" \
            "ceph-mon ceph-osd ceph-mgr radosgw ceph-common ($program is missing)"
    done
fi

# --- a place, and its end ---------------------------------------------------------------------------------------------

if [ $# -gt 0 ]; then
    mkdir "$1" 2>/dev/null || fail "$1 can not be made: it is there already, or its parent is not"
    directory=$(cd "$1" && pwd)
else
    directory=$(mktemp -d "${TMPDIR:-/tmp}/slipway-cluster-XXXXXX")
fi
chmod 711 "$directory" # PostgreSQL may have a user of its own

pids=()
# start NAME COMMAND…: in the background, its output in NAME.log. Ctrl-C is for this script, which ends it in its turn.
start() {
    local name=$1
    shift
    setsid setpriv --pdeathsig KILL "$@" >"$directory/$name.log" 2>&1 </dev/null &
    pids+=($!)
}

# As systemd would: a daemon that ends is started again after a while.
keep_up() {
    local name=$1 child=
    shift
    trap 'kill $child 2>/dev/null; wait $child; exit 0' TERM
    trap '' INT HUP
    while :; do
        setsid setpriv --pdeathsig KILL "$@" >>"$directory/$name.log" 2>&1 </dev/null &
        child=$!
        echo $child >"$directory/$name.pid"
        { wait $child || true; } 2>/dev/null # says only that it was killed
        [ -e "$directory/$name.ready" ] || exit 1
        say "daemon $name has ended; it is started again in 5 s"
        sleep 5 & wait $!
    done
}

clean_up() {
    local code=$? n
    set +e # whoever listened to what is said here may be gone
    trap - EXIT
    trap '' INT TERM HUP PIPE
    [ ${#pids[@]} -eq 0 ] || say "" "stopping"
    for ((n = ${#pids[@]} - 1; n >= 0; n -= 1)); do
        kill "${pids[n]}" 2>/dev/null || true
        wait "${pids[n]}" 2>/dev/null || true
    done
    [ $code -ne 0 ] && [ $code -lt 128 ] && { say "what it had to say is in $directory"; exit $code; }
    rm -rf "$directory"
    exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# until_true SECONDS WHAT LOG COMMAND…
until_true() {
    local end=$((SECONDS + $1)) what=$2 log=$3
    shift 3
    until "$@" >/dev/null 2>&1; do
        # What has been started last is what is waited for.
        if [ $SECONDS -ge $end ] || ! kill -0 "${pids[-1]}" 2>/dev/null; then
            tail -n 15 "$directory/$log" >&2 || true
            fail "$what"
        fi
        sleep 0.2
    done
}

# Free at this moment, which is as much as can be known.
free_ports() {
    node -e '
        const { createServer } = require("node:net");
        const open = () => new Promise((done) => { const s = createServer().listen(0, "127.0.0.1", () => done(s)); });
        Promise.all(Array.from({ length: Number(process.argv[1]) }, open)).then((all) => {
            console.log(all.map((s) => s.address().port).join(" "));
            for (const s of all) s.close();
        });' "$1"
}
read -r port port_a port_b metrics_a metrics_b postgres_port monitor_port gateway_port <<<"$(free_ports 8)"

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

say "starting PostgreSQL"
password=$(node -p 'require("node:crypto").randomBytes(16).toString("hex")')
mkdir "$directory/postgres"
(umask 077 && echo "$password" >"$directory/postgres-password")
as_postgres=()
if [ "$(id -u)" = 0 ]; then
    # It does not run as root.
    user=postgres
    id -u $user >/dev/null 2>&1 || user=nobody
    chown -R $user "$directory/postgres" "$directory/postgres-password"
    as_postgres=(--reuid "$user" --regid "$(id -g $user)" --clear-groups)
    setpriv "${as_postgres[@]}" test -r "$directory/postgres-password" ||
        fail "PostgreSQL does not run as root, and its user $user does not reach $directory: name a directory that everybody" \
            "may pass through"
fi
setpriv "${as_postgres[@]}" "$initdb" -D "$directory/postgres/data" -U slipway --auth scram-sha-256 \
    --pwfile "$directory/postgres-password" --encoding UTF8 --locale C >"$directory/initdb.log" 2>&1 ||
    fail "initdb has failed: $(tail -n 3 "$directory/initdb.log")"
start postgres "${as_postgres[@]}" "$postgres_bin/postgres" -D "$directory/postgres/data" -p "$postgres_port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories="$directory/postgres" \
    -c dynamic_shared_memory_type=mmap # nothing of it is in /dev/shm, where it would stay
export PGPASSWORD=$password
until_true 60 "PostgreSQL does not answer" postgres.log \
    "$postgres_bin/psql" -h 127.0.0.1 -p "$postgres_port" -U slipway -d postgres -c 'SELECT 1'
"$postgres_bin/createdb" -h 127.0.0.1 -p "$postgres_port" -U slipway slipway

# --- the store --------------------------------------------------------------------------------------------------------

prefix=${S3_PREFIX:-slipway-try-$(date +%s)}
if [ -n "$own_ceph" ]; then
    say "starting Ceph, which takes some 15 s"
    source "$here/try-ceph.sh"
    start_ceph "$directory/ceph" "$monitor_port" "$gateway_port"
else
    say "keeping bytes in s3://$S3_BUCKET/$prefix at $S3_ENDPOINT"
fi

keys_in=
if [ -n "$own_ceph" ]; then
    # Those of somebody else's store are not written anywhere.
    (umask 077 && printf '%s\n' "AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY" \
        >"$directory/store-keys")
    keys_in='    keys in store-keys'
fi

# --- the daemons ------------------------------------------------------------------------------------------------------

"${slipwayd[@]}" --new-secrets-key "$directory/secrets-key" >/dev/null
SECRETS_KEY=$(cat "$directory/secrets-key")
export SECRETS_KEY

# The files of the example as they are; flags say what is different on this machine.
start_daemon() {
    local name=$1 port=$2 metrics=$3
    keep_up "$name" "${slipwayd[@]}" --config "$here/slipway-$name.toml" --data "$directory/$name" \
        --address 127.0.0.1 --port "$port" --metrics-address 127.0.0.1 --metrics-port "$metrics" \
        --database "postgres://slipway@127.0.0.1:$postgres_port/slipway" \
        --store "s3://$S3_BUCKET/$prefix" --store-endpoint "$S3_ENDPOINT" \
        --public-url "http://127.0.0.1:$nginx_port" --trusted-proxies 127.0.0.1 --server-name "slipway/$name" &
    pids+=($!)
    until_true 60 "daemon $name is not ready" "$name.log" curl -fs "http://127.0.0.1:$port/readyz"
    touch "$directory/$name.ready"
}
nginx_port=$port
say "starting daemon a"
start_daemon a "$port_a" "$metrics_a"
say "starting daemon b"
start_daemon b "$port_b" "$metrics_b"

# --- nginx ------------------------------------------------------------------------------------------------------------

say "starting nginx"
mkdir -p "$directory/nginx"
# The example without its certificate, which a machine of one's own has none of.
sed -e "s/10\.0\.0\.11:8080/127.0.0.1:$port_a/; s/10\.0\.0\.12:8080/127.0.0.1:$port_b/" \
    -e "s/listen 443 ssl;/listen 127.0.0.1:$port;/; /listen \[::\]/d; /^ *ssl_/d" "$here/nginx.conf" >"$directory/nginx/site.conf"
cat >"$directory/nginx/nginx.conf" <<CONFIGURATION
daemon off;
worker_processes 2;
$([ "$(id -u)" = 0 ] && echo "user root;")
pid $directory/nginx/nginx.pid;
error_log $directory/nginx/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $directory/nginx/client_body;
    proxy_temp_path $directory/nginx/proxy;
    fastcgi_temp_path $directory/nginx/fastcgi;
    uwsgi_temp_path $directory/nginx/uwsgi;
    scgi_temp_path $directory/nginx/scgi;
    include $directory/nginx/site.conf;
}
CONFIGURATION
start nginx nginx -p "$directory/nginx" -e "$directory/nginx/error.log" -c "$directory/nginx/nginx.conf"
until_true 20 "nginx does not answer" nginx/error.log curl -fs "http://127.0.0.1:$port/ping"

# --- what to try ------------------------------------------------------------------------------------------------------

token=$directory/a/admin-token # of the daemon that was the first
cat <<TRY

It runs, in $directory.

    nginx      http://127.0.0.1:$port
    daemon a   http://127.0.0.1:$port_a    metrics :$metrics_a    process $(cat "$directory/a.pid")    log a.log
    daemon b   http://127.0.0.1:$port_b    metrics :$metrics_b    process $(cat "$directory/b.pid")    log b.log
    records    postgres://slipway@127.0.0.1:$postgres_port/slipway    password in postgres-password
    bytes      s3://$S3_BUCKET/$prefix at $S3_ENDPOINT$keys_in
    token      $token
    upstreams  nginx/site.conf; after a change: $(command -v nginx) -p $directory/nginx -e $directory/nginx/error.log -c $directory/nginx/nginx.conf -s reload

To try, in another terminal:

    URL=http://127.0.0.1:$port A=http://127.0.0.1:$port_a B=http://127.0.0.1:$port_b
    AUTH="Authorization: Bearer \$(cat $token)"
    curl -i \$URL/ping                                # the Server header says which one answered
    curl -H "\$AUTH" -H 'Content-Type: application/json' \$URL/images \\
        -d '{"name":"first","version":"1","type":"other","os":"other","public":true}'
    curl -H "\$AUTH" "\$A/images?state=all"            # both know it, at once
    curl -H "\$AUTH" "\$B/images?state=all"
    curl -H "\$AUTH" \$URL/api/member                 # who is in the cluster
    kill -9 \$(cat $directory/a.pid)      # reads go on; a write waits until its lease is over
    kill \$(cat $directory/b.pid)         # in peace: nobody waits. Both are started again after 5 s

Ctrl-C, or kill $$, ends all of it.
TRY
wait -n "${pids[@]}" || true
fail "something has ended that should not: look into the logs"
