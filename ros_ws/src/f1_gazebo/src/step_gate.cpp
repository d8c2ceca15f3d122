#include "step_gate.hpp"

#include <ros/console.h>

#include <algorithm>
#include <gazebo/common/Events.hh>
#include <gazebo/physics/PhysicsEngine.hh>

namespace f1_gazebo {
namespace {

/// Lockstep keeps no wall-clock pace: 0 is as fast as possible.
constexpr double kUnpacedHz = 0.0;
/// How often a held world looks for its release; without a pace it would spin on a whole core.
constexpr double kHeldHz = 10000.0;

}  // namespace

StepGate::StepGate(gazebo::physics::WorldPtr world, ClockMode mode,
                   std::function<void(bool)> on_held)
    : world_(std::move(world)), mode_(mode), on_held_(std::move(on_held)) {
  if (mode_ == ClockMode::kRealtime) return;
  world_->SetPaused(true);
  // Written into the description: a world that is still loading applies it after this.
  world_->SDF()->GetElement("physics")->GetElement("real_time_update_rate")->Set(kHeldHz);
  end_step_ = gazebo::event::Events::ConnectWorldUpdateEnd([this] { HoldAtHorizon(); });
  time_reset_ = gazebo::event::Events::ConnectTimeReset([this] { horizon_ = Nanoseconds::zero(); });
}

void StepGate::Pause() {
  paused_ = true;
  world_->SetPaused(true);
}

void StepGate::Unpause() {
  paused_ = false;
  Release();
}

void StepGate::AdvanceTo(Nanoseconds horizon) {
  horizon_ = std::max(horizon_.load(), horizon);
  Release();
}

void StepGate::WhilePaused(const std::function<void()>& work) {
  const bool was_running = !world_->IsPaused();
  world_->SetPaused(true);
  work();
  if (was_running) Release();
}

void StepGate::Release() {
  if (mode_ == ClockMode::kRealtime) {
    world_->SetPaused(false);
    return;
  }
  // The physics thread must not come to hold the world between the look and the release: it would
  // be let go a step beyond the horizon.
  const std::lock_guard lock(hold_mutex_);
  if (!MayStep()) return;
  on_held_(false);
  world_->Physics()->SetRealTimeUpdateRate(kUnpacedHz);
  world_->SetPaused(false);
}

void StepGate::HoldAtHorizon() {
  const std::lock_guard lock(hold_mutex_);
  if (MayStep()) return;
  on_held_(true);
  world_->Physics()->SetRealTimeUpdateRate(kHeldHz);
  world_->SetPaused(true);
  const auto now = FromGazebo(world_->SimTime());
  if (now > horizon_.load()) {
    ROS_ERROR_THROTTLE(1.0,
                       "lockstep: simulated time %.3f s passed the horizon %.3f s; unpause "
                       "only by /gazebo/unpause_physics",
                       ToSeconds(now), ToSeconds(horizon_.load()));
  }
}

bool StepGate::MayStep() const {
  const auto step = FromSeconds(world_->Physics()->GetMaxStepSize());
  return !paused_ && FromGazebo(world_->SimTime()) + step <= horizon_.load();
}

}  // namespace f1_gazebo
