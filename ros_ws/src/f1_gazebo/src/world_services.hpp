// Services about the whole world: pause, reset, world and physics properties.
#pragma once

#include <gazebo_msgs/GetPhysicsProperties.h>
#include <gazebo_msgs/GetWorldProperties.h>
#include <gazebo_msgs/SetPhysicsProperties.h>
#include <ros/node_handle.h>
#include <std_srvs/Empty.h>

#include <gazebo/physics/World.hh>
#include <vector>

#include "camera_sync.hpp"
#include "step_gate.hpp"

namespace f1_gazebo {

class WorldServices {
 public:
  WorldServices(gazebo::physics::WorldPtr world, StepGate& gate, CameraSync& cameras,
                ros::NodeHandle& ros);

 private:
  using Empty = std_srvs::Empty;

  bool Pause(Empty::Request&, Empty::Response&);
  bool Unpause(Empty::Request&, Empty::Response&);
  bool ResetWorld(Empty::Request&, Empty::Response&);
  bool ResetSimulation(Empty::Request&, Empty::Response&);
  bool GetWorld(gazebo_msgs::GetWorldProperties::Request&,
                gazebo_msgs::GetWorldProperties::Response& response);
  bool GetPhysics(gazebo_msgs::GetPhysicsProperties::Request&,
                  gazebo_msgs::GetPhysicsProperties::Response& response);
  bool SetPhysics(gazebo_msgs::SetPhysicsProperties::Request& request,
                  gazebo_msgs::SetPhysicsProperties::Response& response);

  const gazebo::physics::WorldPtr world_;
  StepGate& gate_;
  CameraSync& cameras_;
  std::vector<ros::ServiceServer> servers_;
};

}  // namespace f1_gazebo
