#include "world_services.hpp"

#include <ros/console.h>

#include <boost/any.hpp>
#include <gazebo/physics/Model.hh>
#include <gazebo/physics/PhysicsEngine.hh>
#include <gazebo/rendering/RenderEngine.hh>

#include "conversions.hpp"

namespace f1_gazebo {
namespace {

template <typename T>
T Parameter(const gazebo::physics::PhysicsEngine& engine, const std::string& key) {
  return boost::any_cast<T>(engine.GetParam(key));
}

gazebo_msgs::ODEPhysics OdeConfig(gazebo::physics::PhysicsEngine& engine) {
  gazebo_msgs::ODEPhysics config;
  config.auto_disable_bodies = engine.GetAutoDisableFlag();
  config.sor_pgs_precon_iters = Parameter<int>(engine, "precon_iters");
  config.sor_pgs_iters = Parameter<int>(engine, "iters");
  config.sor_pgs_w = Parameter<double>(engine, "sor");
  config.contact_surface_layer = Parameter<double>(engine, "contact_surface_layer");
  config.contact_max_correcting_vel = Parameter<double>(engine, "contact_max_correcting_vel");
  config.cfm = Parameter<double>(engine, "cfm");
  config.erp = Parameter<double>(engine, "erp");
  config.max_contacts = Parameter<int>(engine, "max_contacts");
  return config;
}

void SetOdeConfig(gazebo::physics::PhysicsEngine& engine, const gazebo_msgs::ODEPhysics& config) {
  engine.SetAutoDisableFlag(config.auto_disable_bodies);
  engine.SetParam("precon_iters", static_cast<int>(config.sor_pgs_precon_iters));
  engine.SetParam("iters", static_cast<int>(config.sor_pgs_iters));
  engine.SetParam("sor", config.sor_pgs_w);
  engine.SetParam("contact_surface_layer", config.contact_surface_layer);
  engine.SetParam("contact_max_correcting_vel", config.contact_max_correcting_vel);
  engine.SetParam("cfm", config.cfm);
  engine.SetParam("erp", config.erp);
  engine.SetParam("max_contacts", static_cast<int>(config.max_contacts));
}

}  // namespace

WorldServices::WorldServices(gazebo::physics::WorldPtr world, StepGate& gate, CameraSync& cameras,
                             ros::NodeHandle& ros)
    : world_(std::move(world)), gate_(gate), cameras_(cameras) {
  const auto serve = [&](const char* name, auto handler) {
    servers_.push_back(ros.advertiseService(name, handler, this));
  };
  serve("/gazebo/pause_physics", &WorldServices::Pause);
  serve("/gazebo/unpause_physics", &WorldServices::Unpause);
  serve("/gazebo/reset_world", &WorldServices::ResetWorld);
  serve("/gazebo/reset_simulation", &WorldServices::ResetSimulation);
  serve("/gazebo/get_world_properties", &WorldServices::GetWorld);
  serve("/gazebo/get_physics_properties", &WorldServices::GetPhysics);
  serve("/gazebo/set_physics_properties", &WorldServices::SetPhysics);
}

bool WorldServices::Pause(Empty::Request&, Empty::Response&) {
  gate_.Pause();
  return true;
}

bool WorldServices::Unpause(Empty::Request&, Empty::Response&) {
  if (!cameras_.WaitUntilWorldIsSeen()) {
    ROS_ERROR("unpause_physics: the renderer does not load the world; is it stuck?");
    return false;
  }
  gate_.Unpause();
  return true;
}

bool WorldServices::ResetWorld(Empty::Request&, Empty::Response&) {
  // Poses only; time goes on, as in gazebo_ros.
  gate_.WhilePaused([this] { world_->ResetEntities(gazebo::physics::Base::MODEL); });
  return true;
}

bool WorldServices::ResetSimulation(Empty::Request&, Empty::Response&) {
  bool followed = false;
  gate_.WhilePaused([&] { followed = cameras_.Follow([&] { world_->Reset(); }); });
  if (!followed) ROS_ERROR("reset_simulation: the renderer does not follow; is it stuck?");
  return followed;
}

bool WorldServices::GetWorld(gazebo_msgs::GetWorldProperties::Request&,
                             gazebo_msgs::GetWorldProperties::Response& response) {
  using gazebo::rendering::RenderEngine;
  response.sim_time = world_->SimTime().Double();
  for (const auto& model : world_->Models()) response.model_names.push_back(model->GetName());
  response.rendering_enabled = RenderEngine::Instance()->GetRenderPathType() != RenderEngine::NONE;
  response.success = true;
  return true;
}

bool WorldServices::GetPhysics(gazebo_msgs::GetPhysicsProperties::Request&,
                               gazebo_msgs::GetPhysicsProperties::Response& response) {
  auto& engine = *world_->Physics();
  response.time_step = engine.GetMaxStepSize();
  response.pause = world_->IsPaused();
  response.max_update_rate = gate_.UpdateRateHz();
  response.gravity = ToRos(world_->Gravity());
  response.success = engine.GetType() == "ode";
  if (response.success) {
    response.ode_config = OdeConfig(engine);
  } else {
    response.status_message = "the physics engine is " + engine.GetType() + ", not ode";
  }
  return true;
}

bool WorldServices::SetPhysics(gazebo_msgs::SetPhysicsProperties::Request& request,
                               gazebo_msgs::SetPhysicsProperties::Response& response) {
  auto& engine = *world_->Physics();
  if (engine.GetType() != "ode") {
    response.status_message = "the physics engine is " + engine.GetType() + ", not ode";
    return true;
  }
  if (!(request.time_step > 0.0) || !(request.max_update_rate >= 0.0)) {
    response.status_message = "time_step must be above 0 and max_update_rate at least 0";
    return true;
  }
  gate_.WhilePaused([&] {
    engine.SetMaxStepSize(request.time_step);
    gate_.SetUpdateRateHz(request.max_update_rate);
    world_->SetGravity(FromRos(request.gravity));
    SetOdeConfig(engine, request.ode_config);
  });
  response.success = true;
  return true;
}

}  // namespace f1_gazebo
