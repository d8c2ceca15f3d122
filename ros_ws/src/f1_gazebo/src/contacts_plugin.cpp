// Reports that the car touches something other than the ground.

#include <gazebo_msgs/ContactsState.h>
#include <ros/ros.h>

#include <algorithm>
#include <cmath>
#include <gazebo/common/Events.hh>
#include <gazebo/common/Plugin.hh>
#include <gazebo/physics/physics.hh>
#include <gazebo/sensors/ContactSensor.hh>
#include <optional>
#include <string>

#include "conversions.hpp"
#include "ros_ready.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {
namespace {

/// A surface that is nearer to level than to upright is ground: it carries the car.
bool IsGround(const gazebo::physics::Contact& contact) {
  return std::all_of(contact.normals, contact.normals + contact.count,
                     [](const auto& normal) { return std::abs(normal.Z()) > M_SQRT1_2; });
}

gazebo_msgs::ContactState StateOf(const gazebo::physics::Contact& contact) {
  gazebo_msgs::ContactState state;
  state.collision1_name = contact.collision1->GetScopedName();
  state.collision2_name = contact.collision2->GetScopedName();
  ignition::math::Vector3d force;
  ignition::math::Vector3d torque;
  for (int i = 0; i < contact.count; ++i) {
    const auto& wrench = contact.wrench[i];
    geometry_msgs::Wrench message;
    message.force = ToRos(wrench.body1Force);
    message.torque = ToRos(wrench.body1Torque);
    state.wrenches.push_back(message);
    state.contact_positions.push_back(ToRos(contact.positions[i]));
    state.contact_normals.push_back(ToRos(contact.normals[i]));
    state.depths.push_back(contact.depths[i]);
    force += wrench.body1Force;
    torque += wrench.body1Torque;
  }
  state.total_wrench.force = ToRos(force);
  state.total_wrench.torque = ToRos(torque);
  return state;
}

}  // namespace

/// Reads the physics engine's contacts after each step, not the sensor's own samples: those come
/// from another thread and differ from run to run. The sensor makes the engine keep contacts.
/// SDF parameters: `topic` (/F1ROS/contacts), `frame` (odom), `rate_hz` (50): while touching; the
/// first touch is reported at once.
class ContactsPlugin : public gazebo::SensorPlugin {
 public:
  void Load(gazebo::sensors::SensorPtr sensor, sdf::ElementPtr sdf) override;

 private:
  void EndStep();
  bool Belongs(const gazebo::physics::Collision& collision) const;

  gazebo::physics::WorldPtr world_;
  gazebo::physics::ModelPtr model_;
  Nanoseconds period_{};
  std::optional<Nanoseconds> last_;
  std::optional<ros::NodeHandle> ros_;
  ros::Publisher publisher_;
  std::string frame_;
  gazebo::event::ConnectionPtr end_step_;
};

void ContactsPlugin::Load(gazebo::sensors::SensorPtr sensor, sdf::ElementPtr sdf) {
  if (!RosReady("contacts")) return;
  world_ = gazebo::physics::get_world(sensor->WorldName());
  const auto link = world_->EntityByName(sensor->ParentName());
  if (!link) {
    gzerr << "contacts: no link " << sensor->ParentName() << "\n";
    return;
  }
  model_ = link->GetParentModel();
  sensor->SetActive(true);
  period_ = FromSeconds(1.0 / sdf->Get<double>("rate_hz", 50.0).first);
  frame_ = sdf->Get<std::string>("frame", "odom").first;
  ros_.emplace();
  publisher_ = ros_->advertise<gazebo_msgs::ContactsState>(
      sdf->Get<std::string>("topic", "/F1ROS/contacts").first, 100);
  end_step_ = gazebo::event::Events::ConnectWorldUpdateEnd([this] { EndStep(); });
}

void ContactsPlugin::EndStep() {
  const auto now = world_->SimTime();
  const auto elapsed = FromGazebo(now);
  const bool rewound = last_ && elapsed < *last_;
  if (last_ && !rewound && elapsed - *last_ < period_) return;

  gazebo_msgs::ContactsState message;
  const auto* manager = world_->Physics()->GetContactManager();
  for (unsigned i = 0; i < manager->GetContactCount(); ++i) {
    const auto& contact = *manager->GetContact(i);
    const bool ours = Belongs(*contact.collision1) || Belongs(*contact.collision2);
    if (ours && contact.count > 0 && !IsGround(contact)) message.states.push_back(StateOf(contact));
  }
  if (message.states.empty()) return;
  last_ = elapsed;
  message.header.stamp = ToRos(now);
  message.header.frame_id = frame_;
  publisher_.publish(message);
}

bool ContactsPlugin::Belongs(const gazebo::physics::Collision& collision) const {
  return collision.GetModel() == model_;
}

GZ_REGISTER_SENSOR_PLUGIN(ContactsPlugin)

}  // namespace f1_gazebo
