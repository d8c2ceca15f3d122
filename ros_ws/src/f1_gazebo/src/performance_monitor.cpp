#include "performance_monitor.hpp"

#include <gazebo_msgs/PerformanceMetrics.h>

#include <gazebo/rendering/Camera.hh>
#include <gazebo/sensors/SensorManager.hh>

#include "sim_time.hpp"

namespace f1_gazebo {

PerformanceMonitor::PerformanceMonitor(gazebo::physics::WorldPtr world, ros::NodeHandle& ros)
    : world_(std::move(world)),
      publisher_(ros.advertise<gazebo_msgs::PerformanceMetrics>("/gazebo/performance_metrics", 10)),
      last_sim_(world_->SimTime()),
      last_wall_(ros::WallTime::now()) {
  timer_ = ros.createWallTimer(ros::WallDuration(1.0), [this](const auto&) { Publish(); });
}

void PerformanceMonitor::Publish() {
  FindNewCameras();
  const auto sim = world_->SimTime();
  const auto wall = ros::WallTime::now();
  const double sim_s = (sim - last_sim_).Double();
  const double wall_s = (wall - last_wall_).toSec();
  last_sim_ = sim;
  last_wall_ = wall;

  gazebo_msgs::PerformanceMetrics message;
  message.header.stamp = ToRos(sim);
  message.real_time_factor = sim_s / wall_s;
  for (auto& [name, camera] : cameras_) {
    const unsigned frames = camera.frames.exchange(0);
    gazebo_msgs::SensorPerformanceMetric metric;
    metric.name = name;
    metric.sim_update_rate = sim_s > 0.0 ? frames / sim_s : 0.0;
    metric.real_update_rate = frames / wall_s;
    metric.fps = camera.sensor->Camera()->AvgFPS();
    message.sensors.push_back(metric);
  }
  // Time went back to zero within this second: no rate makes sense.
  if (sim_s >= 0.0) publisher_.publish(message);
}

void PerformanceMonitor::FindNewCameras() {
  for (const auto& sensor : gazebo::sensors::SensorManager::Instance()->GetSensors()) {
    const auto camera = std::dynamic_pointer_cast<gazebo::sensors::CameraSensor>(sensor);
    if (!camera || !camera->Camera() || cameras_.count(camera->ScopedName()) > 0) continue;
    auto& count = cameras_[camera->ScopedName()];
    count.sensor = camera;
    count.connection = camera->Camera()->ConnectNewImageFrame(
        [&count](const unsigned char*, unsigned, unsigned, unsigned, const std::string&) {
          ++count.frames;
        });
  }
}

}  // namespace f1_gazebo
