#include "load_meter.hpp"

#include <harness_msgs/SimulatorLoad.h>

#include <gazebo/common/Events.hh>

#include "sim_time.hpp"

namespace f1_gazebo {

using gazebo::event::Events;

LoadMeter::LoadMeter(gazebo::physics::WorldPtr world, ros::NodeHandle& ros)
    : world_(std::move(world)),
      publisher_(ros.advertise<harness_msgs::SimulatorLoad>("/gazebo/load", 10)) {
  begin_step_ = Events::ConnectWorldUpdateBegin([this](const auto&) { physics_.Start(); });
  end_step_ = Events::ConnectWorldUpdateEnd([this] { physics_.Stop(); });
  begin_render_ = Events::ConnectPreRender([this] { rendering_.Start(); });
  end_render_ = Events::ConnectPostRender([this] { rendering_.Stop(); });
  timer_ = ros.createWallTimer(ros::WallDuration(1.0), [this](const auto&) { Publish(); });
}

void LoadMeter::Publish() {
  harness_msgs::SimulatorLoad message;
  message.header.stamp = ToRos(world_->SimTime());
  message.physics_s = physics_.Seconds();
  message.rendering_s = rendering_.Seconds();
  publisher_.publish(message);
}

void LoadMeter::Stopwatch::Stop() {
  // The first event seen may be the end of an interval that began before the connection.
  if (started_ == Clock::time_point{}) return;
  total_ = total_.load() + (Clock::now() - started_);
}

}  // namespace f1_gazebo
