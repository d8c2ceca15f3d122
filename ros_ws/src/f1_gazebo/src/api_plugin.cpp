// The ROS side of gzserver: starts the node `gazebo` and serves the world under gazebo_ros' names.

#include <harness_msgs/Advance.h>
#include <ros/ros.h>

#include <cstdlib>
#include <gazebo/common/Events.hh>
#include <gazebo/common/Plugin.hh>
#include <gazebo/physics/PhysicsIface.hh>
#include <iostream>
#include <optional>
#include <string>

#include "advance_event.hpp"
#include "camera_sync.hpp"
#include "load_meter.hpp"
#include "model_services.hpp"
#include "performance_monitor.hpp"
#include "step_gate.hpp"
#include "world_publisher.hpp"
#include "world_services.hpp"

namespace f1_gazebo {
namespace {

/// Gazebo offers a plugin no way to refuse; going on without ROS would be a silent failure.
[[noreturn]] void Die(const std::string& problem) {
  std::cerr << "error: " << problem << std::endl;
  std::_Exit(EXIT_FAILURE);
}

ClockMode ReadClockMode() {
  const auto mode = ros::param::param<std::string>("/gazebo/clock_mode", "realtime");
  if (mode == "realtime") return ClockMode::kRealtime;
  if (mode == "lockstep") return ClockMode::kLockstep;
  Die("unknown /gazebo/clock_mode '" + mode + "'; choose realtime or lockstep");
}

/// Everything that lives as long as the world.
class WorldApi {
 public:
  WorldApi(const gazebo::physics::WorldPtr& world, ClockMode mode)
      : load_(world, ros_),
        gate_(world, mode, [this](bool held) { load_.Held(held); }),
        cameras_(world),
        publisher_(world, ros_),
        performance_(world, ros_),
        world_services_(world, gate_, cameras_, ros_),
        model_services_(world, gate_, ros_),
        advance_(ros_.subscribe("/gazebo/advance", 100, &WorldApi::OnAdvance, this,
                                ros::TransportHints().tcpNoDelay())) {}

 private:
  void OnAdvance(const harness_msgs::Advance& advance) {
    // In this order: a command must be in the queue before time may reach it.
    AdvanceEvent::Signal(advance.commands);
    gate_.AdvanceTo(FromRos(advance.until));
  }

  ros::NodeHandle ros_;
  LoadMeter load_;
  StepGate gate_;
  CameraSync cameras_;
  WorldPublisher publisher_;
  PerformanceMonitor performance_;
  WorldServices world_services_;
  ModelServices model_services_;
  ros::Subscriber advance_;
};

}  // namespace

class ApiPlugin : public gazebo::SystemPlugin {
 public:
  ~ApiPlugin() override;
  void Load(int argc, char** argv) override;

 private:
  ClockMode mode_ = ClockMode::kRealtime;
  std::optional<ros::AsyncSpinner> spinner_;
  std::optional<WorldApi> api_;
  gazebo::event::ConnectionPtr world_created_;
};

void ApiPlugin::Load(int, char**) {
  // gzserver handles the signals.
  ros::init(ros::M_string(), "gazebo", ros::init_options::NoSigintHandler);
  if (!ros::master::check()) {
    Die("no ROS master at " + ros::master::getURI() + "; start roscore or set ROS_MASTER_URI");
  }
  mode_ = ReadClockMode();
  world_created_ = gazebo::event::Events::ConnectWorldCreated(
      [this](const std::string& name) { api_.emplace(gazebo::physics::get_world(name), mode_); });
  // One thread: the callbacks never run beside each other.
  spinner_.emplace(1);
  spinner_->start();
}

ApiPlugin::~ApiPlugin() {
  if (spinner_) spinner_->stop();
  api_.reset();
  ros::shutdown();
}

GZ_REGISTER_SYSTEM_PLUGIN(ApiPlugin)

}  // namespace f1_gazebo
