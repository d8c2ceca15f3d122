// Between Gazebo's mathematics and ROS messages.
#pragma once

#include <geometry_msgs/Pose.h>
#include <geometry_msgs/Twist.h>
#include <geometry_msgs/Vector3.h>

#include <ignition/math/Pose3.hh>
#include <ignition/math/Vector3.hh>

namespace f1_gazebo {

geometry_msgs::Vector3 ToRos(const ignition::math::Vector3d& vector);
geometry_msgs::Pose ToRos(const ignition::math::Pose3d& pose);
geometry_msgs::Twist ToRos(const ignition::math::Vector3d& linear,
                           const ignition::math::Vector3d& angular);

ignition::math::Vector3d FromRos(const geometry_msgs::Vector3& vector);

/// The rotation is normalised; an all-zero one means none, as in gazebo_ros.
ignition::math::Pose3d FromRos(const geometry_msgs::Pose& pose);

}  // namespace f1_gazebo
