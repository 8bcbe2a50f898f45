# Runs ministack in this process group, and ends the group when standard input closes: that happens when the
# sandbox stops, and also when it is killed and can do nothing about it. Lambda's workers are in the group too.
# Standard output says "gone" when ministack ended by itself; it closes when nothing of the group is left.
exec 3<&0
trap : TERM INT HUP
(
    trap : TERM INT HUP
    cat <&3 >/dev/null
    kill -TERM "$(cat "$TMPDIR/ministack.pid")"
    tries=0
    while [ -e "$TMPDIR/ministack.pid" ] && [ "$tries" -lt 50 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    rm -rf -- "$TMPDIR"
    kill -KILL 0
) 2>/dev/null &
"$@" 3<&- </dev/null >"$TMPDIR/ministack.log" 2>&1 &
ministack=$!
echo "$ministack" >"$TMPDIR/ministack.pid"
while kill -0 "$ministack" 2>/dev/null; do
    wait "$ministack"
done
rm -f -- "$TMPDIR/ministack.pid"
echo gone
