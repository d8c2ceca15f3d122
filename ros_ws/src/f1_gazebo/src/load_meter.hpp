// /gazebo/load: where the simulator's wall time goes, once a wall second.
#pragma once

#include <ros/node_handle.h>
#include <ros/wall_timer.h>

#include <gazebo/common/Event.hh>
#include <gazebo/physics/World.hh>

#include "activity_clock.hpp"

namespace f1_gazebo {

class LoadMeter {
 public:
  LoadMeter(gazebo::physics::WorldPtr world, ros::NodeHandle& ros);

  /// Whether lockstep holds the world at the horizon.
  void Held(bool held) { clock_.Set(Activity::kHeld, held); }

 private:
  void Publish();

  const gazebo::physics::WorldPtr world_;
  ActivityClock clock_;
  ros::Publisher publisher_;
  ros::WallTimer timer_;
  gazebo::event::ConnectionPtr begin_step_;
  gazebo::event::ConnectionPtr end_step_;
  gazebo::event::ConnectionPtr begin_render_;
  gazebo::event::ConnectionPtr end_render_;
  gazebo::event::ConnectionPtr frame_;
  bool frame_pending_ = false;  ///< Of the rendering thread.
};

}  // namespace f1_gazebo
