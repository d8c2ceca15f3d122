#include "conversions.hpp"

namespace f1_gazebo {

geometry_msgs::Vector3 ToRos(const ignition::math::Vector3d& vector) {
  geometry_msgs::Vector3 message;
  message.x = vector.X();
  message.y = vector.Y();
  message.z = vector.Z();
  return message;
}

geometry_msgs::Pose ToRos(const ignition::math::Pose3d& pose) {
  geometry_msgs::Pose message;
  message.position.x = pose.Pos().X();
  message.position.y = pose.Pos().Y();
  message.position.z = pose.Pos().Z();
  message.orientation.w = pose.Rot().W();
  message.orientation.x = pose.Rot().X();
  message.orientation.y = pose.Rot().Y();
  message.orientation.z = pose.Rot().Z();
  return message;
}

geometry_msgs::Twist ToRos(const ignition::math::Vector3d& linear,
                           const ignition::math::Vector3d& angular) {
  geometry_msgs::Twist message;
  message.linear = ToRos(linear);
  message.angular = ToRos(angular);
  return message;
}

ignition::math::Vector3d FromRos(const geometry_msgs::Vector3& vector) {
  return {vector.x, vector.y, vector.z};
}

ignition::math::Pose3d FromRos(const geometry_msgs::Pose& pose) {
  ignition::math::Quaterniond rotation(pose.orientation.w, pose.orientation.x, pose.orientation.y,
                                       pose.orientation.z);
  rotation.Normalize();
  return {{pose.position.x, pose.position.y, pose.position.z}, rotation};
}

}  // namespace f1_gazebo
