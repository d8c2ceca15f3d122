#include "load_meter.hpp"

#include <harness_msgs/SimulatorLoad.h>

#include <gazebo/common/Events.hh>

#include "frame_event.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {

using gazebo::event::Events;

LoadMeter::LoadMeter(gazebo::physics::WorldPtr world, ros::NodeHandle& ros)
    : world_(std::move(world)),
      publisher_(ros.advertise<harness_msgs::SimulatorLoad>("/gazebo/load", 10)) {
  begin_step_ = Events::ConnectWorldUpdateBegin(
      [this](const auto&) { clock_.Set(Activity::kPhysics, true); });
  end_step_ = Events::ConnectWorldUpdateEnd([this] { clock_.Set(Activity::kPhysics, false); });
  begin_render_ = Events::ConnectPreRender([this] { clock_.Set(Activity::kRendering, true); });
  // Where a frame is still to be drawn, rendering ends only when its pixels are read.
  end_render_ =
      Events::ConnectPostRender([this] { clock_.Set(Activity::kRendering, frame_pending_); });
  frame_ = FrameEvent::Connect([this](bool pending) {
    frame_pending_ = pending;
    if (!pending) clock_.Set(Activity::kRendering, false);
  });
  timer_ = ros.createWallTimer(ros::WallDuration(1.0), [this](const auto&) { Publish(); });
}

void LoadMeter::Publish() {
  harness_msgs::SimulatorLoad message;
  message.header.stamp = ToRos(world_->SimTime());
  const auto times = clock_.Times();
  message.physics_s = times.physics_s;
  message.rendering_s = times.rendering_s;
  message.idle_s = times.idle_s;
  message.held_s = times.held_s;
  publisher_.publish(message);
}

}  // namespace f1_gazebo
