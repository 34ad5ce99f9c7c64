# repository DIR SPEED... makes a repository with a commit for each speed, whose
# "build" is the programs of the folder fake, so much slower, or fails.
set -e
dir=$1; shift
git init -q -b main $dir
n=0
for speed in "$@"; do
  n=$((n+1))
  cat >$dir/build.sh <<EOF
set -e
echo "configured" >>tracked
mkdir -p out
case $speed in
  broken) echo "build.sh: error: commit $n" >&2; exit 1 ;;
  none) exit 0 ;;
esac
for settings in $WORK/fake/*.env; do
  cp \$settings \${settings%.env} out/
  echo FAKE_SLOW=$speed >>out/\${settings##*/}
done
EOF
  echo $n >$dir/tracked
  cat >$dir/waits.sh <<EOF
if [ -z "\$NOWAIT" ] && [ $n -gt 1 ]; then
  setsid sh -c 'echo \$\$ >$WORK/compiling; exec sleep 600' & # as ninja starts a compiler
  while [ ! -s $WORK/compiling ]; do sleep 0.05; done
  echo \$\$ >$WORK/building.new && mv $WORK/building.new $WORK/building
  exec sleep 600
fi
exec sh build.sh
EOF
  git -C $dir add .
  git -C $dir commit -q -m "commit $n: $speed"
  git -C $dir tag c$n
done
