# Source me (bash or zsh): a shell in which harness, roslaunch, rosbag and rostopic work.
PITWALL_HOME=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd)
if [ ! -f "$PITWALL_HOME/.pitwall/env" ]; then
  echo "error: this clone is not set up: run 'make setup' in $PITWALL_HOME" >&2
  return 4 2>/dev/null || exit 4
fi
. "$PITWALL_HOME/.pitwall/env"
export PITWALL_HOME
case ":$PATH:" in
  *":$PITWALL_HOME/harness/bin:"*) ;;
  *) export PATH="$PITWALL_HOME/harness/bin:$PITWALL_VENV/bin:/usr/bin:$PATH" ;;
esac
# `make models` leaves out the workspace, and all of ROS.
export PYTHONPATH="$PITWALL_HOME${PITWALL_WORKSPACE:+:$PITWALL_WORKSPACE/lib/python3/dist-packages}"
export ROS_PACKAGE_PATH="$PITWALL_HOME/harness${PITWALL_WORKSPACE:+:$PITWALL_WORKSPACE/share}:/usr/share"
# A robot's settings in .bashrc (a host name, a namespace) are not for here: harness/run/environment.py.
unset ROS_HOSTNAME ROS_IPV6 ROS_NAMESPACE ROS_HOME ROS_LOG_DIR PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS
export PYTHONUTF8=1
export ROS_DISTRO=noetic ROS_ETC_DIR=/etc/ros ROS_ROOT=/usr/share/ros ROS_VERSION=1
# Loopback only: rosmaster then listens on nothing else.
export ROS_IP=127.0.0.1
export ROS_MASTER_URI="${ROS_MASTER_URI:-http://127.0.0.1:11311}"
