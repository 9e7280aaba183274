# For try.sh: a Ceph of one monitor, one manager, three OSDs that keep two copies of all in memory, and its S3 gateway.
# Nothing to keep images in.

# start_ceph DIRECTORY MONITOR_PORT GATEWAY_PORT: sets S3_ENDPOINT, S3_BUCKET and the credentials
start_ceph() {
    local place=$1 monitor=$2 gateway=$3 fsid id uuid
    fsid=$(cat /proc/sys/kernel/random/uuid)
    mkdir -p "$place"/{mon.a,mgr.x,osd.0,osd.1,osd.2,out,sock}
    # Without cephx the gateway hangs.
    cat >"$place/ceph.conf" <<CONFIGURATION
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$monitor]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $place/keyring
auth allow insecure global id reclaim = false
mon data avail warn = 1
mon data avail crit = 1
osd pool default size = 2
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
run dir = $place/sock
log file = $place/out/\$name.log
admin socket = $place/sock/\$name.asok
pid file = $place/out/\$name.pid
crash dir = $place/out
mon data = $place/mon.a
mgr data = $place/mgr.x
osd data = $place/osd.\$id
ms bind ipv4 = true
ms bind msgr1 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
mon max pg per osd = 1000
[mgr]
mgr initial modules =
[osd]
osd objectstore = memstore
memstore device bytes = 6442450944
osd op num shards = 2
osd max object name len = 460
osd max object namespace len = 64
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$gateway
rgw dns name = localhost
rgw enable usage log = false
rgw enable ops log = false
CONFIGURATION
    export CEPH_CONF=$place/ceph.conf
    {
        local keys="$place/keyring"
        ceph-authtool --create-keyring "$keys" --gen-key -n mon. --cap mon 'allow *'
        ceph-authtool "$keys" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
        ceph-authtool "$keys" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw'
        ceph-authtool "$keys" --gen-key -n mgr.x --cap mon 'allow profile mgr' --cap osd 'allow *'
        for id in 0 1 2; do ceph-authtool "$keys" --gen-key -n osd.$id --cap mon 'allow profile osd' --cap osd 'allow *'; done
        monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor]" "$place/monmap"
        ceph-mon -i a --mkfs --monmap "$place/monmap" --keyring "$keys"
    } >"$directory/ceph.log" 2>&1 || fail "Ceph can not be set up: $(tail -n 3 "$directory/ceph.log")"
    start ceph-mon ceph-mon -f -i a
    for id in 0 1 2; do
        uuid=$(cat /proc/sys/kernel/random/uuid)
        {
            timeout 60 ceph osd new "$uuid"
            ceph-osd -i $id --mkfs --osd-uuid "$uuid"
        } >>"$directory/ceph.log" 2>&1 || fail "an OSD of Ceph can not be set up: $(tail -n 3 "$directory/ceph.log")"
        start ceph-osd-$id ceph-osd -f -i $id
    done
    start ceph-mgr ceph-mgr -f -i x
    start ceph-gateway radosgw -f -n client.rgw

    AWS_ACCESS_KEY_ID=try
    AWS_SECRET_ACCESS_KEY=$(node -p 'require("node:crypto").randomBytes(16).toString("hex")')
    S3_ENDPOINT=http://127.0.0.1:$gateway S3_BUCKET=slipway
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION=default
    unset AWS_PROFILE AWS_SESSION_TOKEN
    timeout 120 radosgw-admin user create --uid try --display-name try --access-key "$AWS_ACCESS_KEY_ID" \
        --secret-key "$AWS_SECRET_ACCESS_KEY" >>"$directory/ceph.log" 2>&1 ||
        fail "Ceph's gateway takes no user: $(tail -n 3 "$directory/ceph.log")"
    until_true 120 "Ceph's gateway does not answer" ceph-gateway.log curl -fs "$S3_ENDPOINT/"
    # The old signature: curl of Debian 12 does not sign the new one as the gateway wants it.
    local date signature
    date=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')
    signature=$(node -p 'const [, text, key] = process.argv; require("node:crypto").createHmac("sha1", key).update(text).digest("base64")' \
        "$(printf 'PUT\n\n\n%s\n/%s' "$date" "$S3_BUCKET")" "$AWS_SECRET_ACCESS_KEY")
    curl -fsS -X PUT -H "Date: $date" -H "Authorization: AWS $AWS_ACCESS_KEY_ID:$signature" "$S3_ENDPOINT/$S3_BUCKET" \
        >>"$directory/ceph.log" 2>&1 || fail "Ceph's gateway makes no bucket: $(tail -n 3 "$directory/ceph.log")"
}
