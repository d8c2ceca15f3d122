#include "world_publisher.hpp"

#include <gazebo_msgs/ModelStates.h>
#include <rosgraph_msgs/Clock.h>

#include <gazebo/common/Events.hh>
#include <gazebo/physics/Model.hh>
#include <gazebo/physics/PhysicsEngine.hh>

#include "conversions.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {
namespace {

using std::chrono_literals::operator""ms;

// A clock at each step costs every Python node a quarter of a core for nothing.
constexpr Nanoseconds kClockPeriod = 10ms;
constexpr Nanoseconds kModelStatesPeriod = 20ms;

}  // namespace

WorldPublisher::WorldPublisher(gazebo::physics::WorldPtr world, ros::NodeHandle& ros)
    : world_(std::move(world)),
      // Latched: who joins while the world is paused learns the time too.
      clock_(ros.advertise<rosgraph_msgs::Clock>("/clock", 100, true)),
      model_states_(ros.advertise<gazebo_msgs::ModelStates>("/gazebo/model_states", 10)) {
  PublishClock();
  end_step_ = gazebo::event::Events::ConnectWorldUpdateEnd([this] { EndStep(); });
  time_reset_ = gazebo::event::Events::ConnectTimeReset([this] { PublishClock(); });
}

void WorldPublisher::EndStep() {
  const auto now = FromGazebo(world_->SimTime());
  const auto step = FromSeconds(world_->Physics()->GetMaxStepSize());
  if (IsDue(now, step, kClockPeriod)) PublishClock();
  if (IsDue(now, step, kModelStatesPeriod) && model_states_.getNumSubscribers() > 0) {
    PublishModelStates();
  }
}

void WorldPublisher::PublishClock() {
  rosgraph_msgs::Clock message;
  message.clock = ToRos(world_->SimTime());
  clock_.publish(message);
}

void WorldPublisher::PublishModelStates() {
  gazebo_msgs::ModelStates message;
  for (const auto& model : world_->Models()) {
    message.name.push_back(model->GetName());
    message.pose.push_back(ToRos(model->WorldPose()));
    message.twist.push_back(ToRos(model->WorldLinearVel(), model->WorldAngularVel()));
  }
  model_states_.publish(message);
}

}  // namespace f1_gazebo
