// /clock and /gazebo/model_states.
#pragma once

#include <ros/node_handle.h>

#include <gazebo/common/Event.hh>
#include <gazebo/physics/World.hh>

namespace f1_gazebo {

class WorldPublisher {
 public:
  WorldPublisher(gazebo::physics::WorldPtr world, ros::NodeHandle& ros);

 private:
  void EndStep();
  void PublishClock();
  void PublishModelStates();

  const gazebo::physics::WorldPtr world_;
  ros::Publisher clock_;
  ros::Publisher model_states_;
  gazebo::event::ConnectionPtr end_step_;
  gazebo::event::ConnectionPtr time_reset_;
};

}  // namespace f1_gazebo
