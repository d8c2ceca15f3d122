// Planar drive: the car moves with the commanded speed along its heading and yaw rate.

#include <geometry_msgs/Twist.h>
#include <nav_msgs/Odometry.h>
#include <ros/ros.h>

#include <cmath>
#include <gazebo/common/Events.hh>
#include <gazebo/common/Plugin.hh>
#include <gazebo/physics/physics.hh>
#include <sstream>
#include <string>

#include "advance_event.hpp"
#include "command_queue.hpp"
#include "conversions.hpp"
#include "drive_conditions.hpp"
#include "odometer.hpp"
#include "ros_ready.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {

/// SDF parameters: `link` (base_link), `command_topic` (/F1ROS/cmd_vel), `odometry_topic`
/// (/F1ROS/odom), `odometry_frame` (odom, which is Gazebo's world), `odometry_rate_hz` (50),
/// `command_timeout_s` (0.5, simulated); what is in DriveConditions, by the same names, with
/// `gusts_rad_s` as a list and `gust_period_s` (0.02).
class DrivePlugin : public gazebo::ModelPlugin {
 public:
  void Load(gazebo::physics::ModelPtr model, sdf::ElementPtr sdf) override;
  void Reset() override;

 private:
  void OnTwist(const geometry_msgs::Twist& twist);
  void OnScheduled(const AdvanceEvent::Commands& commands);
  void BeginStep(const gazebo::common::UpdateInfo& info);
  void EndStep();
  void Move(const Command& command);
  void PublishOdometry(const gazebo::common::Time& now);
  Nanoseconds StepLength() const;

  gazebo::physics::WorldPtr world_;
  gazebo::physics::LinkPtr link_;
  std::optional<CommandQueue> commands_;
  DriveConditions conditions_;
  Odometer odometer_;
  Nanoseconds odometry_period_{};
  nav_msgs::Odometry odometry_;

  std::optional<ros::NodeHandle> ros_;
  ros::Publisher odometry_publisher_;
  ros::Subscriber command_subscriber_;
  gazebo::event::ConnectionPtr scheduled_;
  gazebo::event::ConnectionPtr begin_step_;
  gazebo::event::ConnectionPtr end_step_;
};

namespace {

std::optional<Command> ToCommand(const geometry_msgs::Twist& twist) {
  if (std::isfinite(twist.linear.x) && std::isfinite(twist.angular.z)) {
    return Command{twist.linear.x, twist.angular.z};
  }
  ROS_WARN("drive: ignored a command that is not a finite number");
  return std::nullopt;
}

DriveConditions ReadConditions(const sdf::ElementPtr& sdf) {
  DriveConditions result;
  result.steering_gain = sdf->Get<double>("steering_gain", result.steering_gain).first;
  result.steering_bias_rad_s =
      sdf->Get<double>("steering_bias_rad_s", result.steering_bias_rad_s).first;
  result.speed_gain = sdf->Get<double>("speed_gain", result.speed_gain).first;
  result.gust_period = FromSeconds(sdf->Get<double>("gust_period_s", 0.02).first);
  std::istringstream gusts(sdf->Get<std::string>("gusts_rad_s", "").first);
  for (double gust_rad_s; gusts >> gust_rad_s;) result.gusts_rad_s.push_back(gust_rad_s);
  return result;
}

}  // namespace

void DrivePlugin::Load(gazebo::physics::ModelPtr model, sdf::ElementPtr sdf) {
  if (!RosReady("drive")) return;
  const auto link_name = sdf->Get<std::string>("link", "base_link").first;
  link_ = model->GetLink(link_name);
  if (!link_) {
    gzerr << "drive: model " << model->GetName() << " has no link " << link_name << "\n";
    return;
  }
  world_ = model->GetWorld();
  conditions_ = ReadConditions(sdf);
  commands_.emplace(FromSeconds(sdf->Get<double>("command_timeout_s", 0.5).first));
  odometry_period_ = FromSeconds(1.0 / sdf->Get<double>("odometry_rate_hz", 50.0).first);
  odometry_.header.frame_id = sdf->Get<std::string>("odometry_frame", "odom").first;
  odometry_.child_frame_id = link_name;

  ros_.emplace();
  odometry_publisher_ = ros_->advertise<nav_msgs::Odometry>(
      sdf->Get<std::string>("odometry_topic", "/F1ROS/odom").first, 100);
  command_subscriber_ =
      ros_->subscribe(sdf->Get<std::string>("command_topic", "/F1ROS/cmd_vel").first, 1,
                      &DrivePlugin::OnTwist, this, ros::TransportHints().tcpNoDelay());
  scheduled_ = AdvanceEvent::Connect([this](const auto& commands) { OnScheduled(commands); });
  begin_step_ =
      gazebo::event::Events::ConnectWorldUpdateBegin([this](const auto& info) { BeginStep(info); });
  end_step_ = gazebo::event::Events::ConnectWorldUpdateEnd([this] { EndStep(); });
}

void DrivePlugin::Reset() {
  if (!commands_) return;
  commands_->Clear();
  odometer_.Reset();
}

void DrivePlugin::OnTwist(const geometry_msgs::Twist& twist) {
  if (const auto command = ToCommand(twist)) commands_->Push(*command);
}

void DrivePlugin::OnScheduled(const AdvanceEvent::Commands& commands) {
  for (const auto& scheduled : commands) {
    if (const auto command = ToCommand(scheduled.twist)) {
      commands_->Schedule(FromRos(scheduled.effective), *command);
    }
  }
}

void DrivePlugin::BeginStep(const gazebo::common::UpdateInfo& info) {
  // Gazebo has already counted the step that begins here.
  const auto start = FromGazebo(info.simTime) - StepLength();
  const auto in_force = commands_->At(start, StepLength());
  if (in_force.late > Nanoseconds::zero()) {
    ROS_WARN("drive: a scheduled command came %.3f s after its time (now %.3f s)",
             ToSeconds(in_force.late), ToSeconds(start));
  }
  Move(conditions_.Applied(in_force.command, start));
  odometer_.BeginStep(link_->WorldPose());
}

void DrivePlugin::Move(const Command& command) {
  const auto pose = link_->WorldPose();
  const double yaw = pose.Rot().Yaw();
  const ignition::math::Vector3d angular(0.0, 0.0, command.yaw_rate_rad_s);
  ignition::math::Vector3d linear(command.speed_m_s * std::cos(yaw),
                                  command.speed_m_s * std::sin(yaw), 0.0);
  // The command speaks of the link's origin, the engine of its centre of mass.
  linear += angular.Cross(link_->WorldCoGPose().Pos() - pose.Pos());
  linear.Z() = link_->WorldCoGLinearVel().Z();  // gravity's business
  link_->SetLinearVel(linear);
  link_->SetAngularVel(angular);
}

void DrivePlugin::EndStep() {
  const auto now = world_->SimTime();
  odometer_.EndStep(link_->WorldPose(), StepLength());
  if (IsDue(FromGazebo(now), StepLength(), odometry_period_)) PublishOdometry(now);
}

void DrivePlugin::PublishOdometry(const gazebo::common::Time& now) {
  const auto pose = link_->WorldPose();
  const auto velocity = odometer_.Take(pose);
  odometry_.header.stamp = ToRos(now);
  odometry_.pose.pose = ToRos(pose);
  odometry_.twist.twist = ToRos(velocity.linear_m_s, {0.0, 0.0, velocity.yaw_rate_rad_s});
  odometry_publisher_.publish(odometry_);
}

Nanoseconds DrivePlugin::StepLength() const {
  return FromSeconds(world_->Physics()->GetMaxStepSize());
}

GZ_REGISTER_MODEL_PLUGIN(DrivePlugin)

}  // namespace f1_gazebo
