// Where models are and putting them elsewhere.
#pragma once

#include <gazebo_msgs/GetModelState.h>
#include <gazebo_msgs/ModelState.h>
#include <gazebo_msgs/SetModelState.h>
#include <ros/node_handle.h>

#include <gazebo/physics/World.hh>
#include <string>

#include "step_gate.hpp"

namespace f1_gazebo {

class ModelServices {
 public:
  ModelServices(gazebo::physics::WorldPtr world, StepGate& gate, ros::NodeHandle& ros);

 private:
  bool Get(gazebo_msgs::GetModelState::Request& request,
           gazebo_msgs::GetModelState::Response& response);
  bool Set(gazebo_msgs::SetModelState::Request& request,
           gazebo_msgs::SetModelState::Response& response);
  void OnState(const gazebo_msgs::ModelState& state);

  /// Returns what stood in the way, or an empty string.
  std::string Place(const gazebo_msgs::ModelState& state);

  const gazebo::physics::WorldPtr world_;
  StepGate& gate_;
  ros::ServiceServer get_;
  ros::ServiceServer set_;
  ros::Subscriber state_;
};

}  // namespace f1_gazebo
