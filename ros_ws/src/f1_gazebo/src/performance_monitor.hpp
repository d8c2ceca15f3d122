// /gazebo/performance_metrics: how fast the simulation and its cameras run, once a wall second.
#pragma once

#include <ros/node_handle.h>
#include <ros/wall_timer.h>

#include <atomic>
#include <gazebo/common/Event.hh>
#include <gazebo/common/Time.hh>
#include <gazebo/physics/World.hh>
#include <gazebo/sensors/CameraSensor.hh>
#include <map>
#include <string>

namespace f1_gazebo {

class PerformanceMonitor {
 public:
  PerformanceMonitor(gazebo::physics::WorldPtr world, ros::NodeHandle& ros);

 private:
  struct CameraCount {
    gazebo::sensors::CameraSensorPtr sensor;
    std::atomic<unsigned> frames{0};
    gazebo::event::ConnectionPtr connection;
  };

  void Publish();
  void FindNewCameras();

  const gazebo::physics::WorldPtr world_;
  ros::Publisher publisher_;
  ros::WallTimer timer_;
  gazebo::common::Time last_sim_;
  ros::WallTime last_wall_;
  std::map<std::string, CameraCount> cameras_;
};

}  // namespace f1_gazebo
