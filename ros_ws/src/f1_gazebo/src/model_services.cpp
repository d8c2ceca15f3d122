#include "model_services.hpp"

#include <ros/console.h>

#include <gazebo/physics/Model.hh>
#include <optional>

#include "conversions.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {
namespace {

using ignition::math::Pose3d;

/// The pose of the named model or link; the world's own for "", "world" and "map", as in
/// gazebo_ros; nothing when there is none of that name.
std::optional<Pose3d> FrameNamed(const gazebo::physics::World& world, const std::string& name) {
  if (name.empty() || name == "world" || name == "map") return Pose3d::Zero;
  const auto entity = world.EntityByName(name);
  if (!entity) return std::nullopt;
  return entity->WorldPose();
}

}  // namespace

ModelServices::ModelServices(gazebo::physics::WorldPtr world, StepGate& gate, ros::NodeHandle& ros)
    : world_(std::move(world)),
      gate_(gate),
      get_(ros.advertiseService("/gazebo/get_model_state", &ModelServices::Get, this)),
      set_(ros.advertiseService("/gazebo/set_model_state", &ModelServices::Set, this)),
      state_(ros.subscribe("/gazebo/set_model_state", 10, &ModelServices::OnState, this)) {}

bool ModelServices::Get(gazebo_msgs::GetModelState::Request& request,
                        gazebo_msgs::GetModelState::Response& response) {
  const auto model = world_->ModelByName(request.model_name);
  const auto frame = FrameNamed(*world_, request.relative_entity_name);
  response.header.stamp = ToRos(world_->SimTime());
  response.header.frame_id = request.relative_entity_name;
  if (!model) {
    response.status_message = "there is no model " + request.model_name;
  } else if (!frame) {
    response.status_message = "there is no model or link " + request.relative_entity_name;
  } else {
    response.pose = ToRos(model->WorldPose() - *frame);
    response.twist = ToRos(frame->Rot().RotateVectorReverse(model->WorldLinearVel()),
                           frame->Rot().RotateVectorReverse(model->WorldAngularVel()));
    response.success = true;
  }
  return true;
}

bool ModelServices::Set(gazebo_msgs::SetModelState::Request& request,
                        gazebo_msgs::SetModelState::Response& response) {
  response.status_message = Place(request.model_state);
  response.success = response.status_message.empty();
  return true;
}

void ModelServices::OnState(const gazebo_msgs::ModelState& state) {
  const auto problem = Place(state);
  if (!problem.empty()) ROS_WARN("set_model_state: %s", problem.c_str());
}

std::string ModelServices::Place(const gazebo_msgs::ModelState& state) {
  const auto model = world_->ModelByName(state.model_name);
  if (!model) return "there is no model " + state.model_name;
  const auto frame = FrameNamed(*world_, state.reference_frame);
  if (!frame) return "there is no model or link " + state.reference_frame;
  const auto pose = FromRos(state.pose) + *frame;
  const auto linear = FromRos(state.twist.linear);
  const auto angular = FromRos(state.twist.angular);
  if (!pose.IsFinite() || !linear.IsFinite() || !angular.IsFinite()) {
    return "the state holds a value that is not a finite number";
  }
  gate_.WhilePaused([&] {
    model->SetWorldPose(pose);
    model->SetLinearVel(frame->Rot().RotateVector(linear));
    model->SetAngularVel(frame->Rot().RotateVector(angular));
  });
  return {};
}

}  // namespace f1_gazebo
