// /gazebo/load: where the simulator's wall time goes, once a wall second.
#pragma once

#include <ros/node_handle.h>
#include <ros/wall_timer.h>

#include <atomic>
#include <chrono>
#include <gazebo/common/Event.hh>
#include <gazebo/physics/World.hh>

namespace f1_gazebo {

class LoadMeter {
 public:
  LoadMeter(gazebo::physics::WorldPtr world, ros::NodeHandle& ros);

 private:
  using Clock = std::chrono::steady_clock;

  /// Adds up intervals whose both ends lie in one thread.
  class Stopwatch {
   public:
    void Start() { started_ = Clock::now(); }
    void Stop();
    double Seconds() const { return std::chrono::duration<double>(total_.load()).count(); }

   private:
    Clock::time_point started_{};
    std::atomic<Clock::duration> total_{Clock::duration::zero()};
  };

  void Publish();

  const gazebo::physics::WorldPtr world_;
  Stopwatch physics_;    ///< In the physics thread.
  Stopwatch rendering_;  ///< In the rendering thread.
  ros::Publisher publisher_;
  ros::WallTimer timer_;
  gazebo::event::ConnectionPtr begin_step_;
  gazebo::event::ConnectionPtr end_step_;
  gazebo::event::ConnectionPtr begin_render_;
  gazebo::event::ConnectionPtr end_render_;
};

}  // namespace f1_gazebo
