// ROS is started once a process, by the API plugin; the other plugins only use it.
#pragma once

#include <ros/init.h>

#include <gazebo/common/Console.hh>
#include <string>

namespace f1_gazebo {

inline bool RosReady(const std::string& plugin) {
  if (ros::isInitialized()) return true;
  gzerr << plugin << ": ROS is not initialised; start gzserver with -s libf1_gazebo_api.so\n";
  return false;
}

}  // namespace f1_gazebo
