# Runs gzserver with a display of its own, inside the simulator root or on the machine itself.
# Arguments: WORLD GUI(true|false) SEED [gzserver's further arguments].
# Standard input is a leash: when it ends (the holder closes it or dies), everything here ends.
world=$1 gui=$2 seed=$3
shift 3

. /usr/share/gazebo/setup.sh
export GAZEBO_MODEL_DATABASE_URI= # set by setup.sh; Gazebo would look for models on the network
export ALSOFT_DRIVERS=null # no sound card is looked for
export GAZEBO_PLUGIN_PATH="$PITWALL_WORKSPACE/lib:$GAZEBO_PLUGIN_PATH"
export GAZEBO_RESOURCE_PATH="$(dirname "$world"):$GAZEBO_RESOURCE_PATH"

exec 3<&0 </dev/null
scratch=$(mktemp -d)
started=

finish() {
  trap '' EXIT
  kill $started 2>/dev/null
  rm -rf "$scratch"
  exit "$1"
}
trap 'finish $?' EXIT

if [ "$gui" = true ]; then
  gzclient & # closing the window does not end the simulation
  started="$started $!"
else
  # The server picks the number itself: the sockets' names are shared with the whole machine.
  mkfifo "$scratch/display"
  Xvfb -displayfd 4 -screen 0 640x480x24 -nolisten tcp -noreset 4>"$scratch/display" 3<&- \
    2>"$scratch/xvfb.log" &
  started="$started $!"
  read -r number <"$scratch/display" || {
    cat "$scratch/xvfb.log" >&2
    echo "error: the virtual display (Xvfb) did not start" >&2
    exit 1
  }
  export DISPLAY=":$number"
fi

gzserver --lockstep -u --seed "$seed" -s libf1_gazebo_api.so "$@" "$world" 3<&- &
gzserver=$!
{
  read -r _ <&3
  kill -INT "$gzserver" 2>/dev/null
  sleep 1 # it holds nothing worth a longer farewell
  kill -KILL "$gzserver" 2>/dev/null
} &
started="$started $!"
exec 3<&-
wait "$gzserver"
