#include "step_gate.hpp"

#include <ros/console.h>

#include <algorithm>
#include <gazebo/common/Events.hh>
#include <gazebo/physics/PhysicsEngine.hh>

namespace f1_gazebo {
namespace {

using std::chrono_literals::operator""ms;

/// Lockstep keeps no wall-clock pace: 0 is as fast as possible.
constexpr double kUnpacedHz = 0.0;
/// How often a held world looks for its release; without a pace it would spin on a whole core.
constexpr double kHeldHz = 10000.0;

/// In real time, what is made good: a camera frame's time, twice. More would be a leap.
constexpr Nanoseconds kMadeGood = 100ms;

}  // namespace

StepGate::StepGate(gazebo::physics::WorldPtr world, ClockMode mode,
                   std::function<void(bool)> on_held)
    : world_(std::move(world)), mode_(mode), on_held_(std::move(on_held)) {
  if (mode_ == ClockMode::kRealtime) {
    end_step_ = gazebo::event::Events::ConnectWorldUpdateEnd([this] { KeepPace(); });
    return;
  }
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
    {
      const std::lock_guard lock(hold_mutex_);
      pace_wall_.reset();
    }
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

double StepGate::UpdateRateHz() {
  const std::lock_guard lock(hold_mutex_);
  return catching_up_ ? update_rate_hz_ : world_->Physics()->GetRealTimeUpdateRate();
}

void StepGate::SetUpdateRateHz(double rate_hz) {
  const std::lock_guard lock(hold_mutex_);
  catching_up_ = false;
  pace_wall_.reset();
  world_->Physics()->SetRealTimeUpdateRate(rate_hz);
}

void StepGate::KeepPace() {
  const std::lock_guard lock(hold_mutex_);
  auto& physics = *world_->Physics();
  if (!catching_up_) update_rate_hz_ = physics.GetRealTimeUpdateRate();
  if (update_rate_hz_ <= 0.0) return;
  const bool late = Lag(update_rate_hz_) > FromSeconds(physics.GetMaxStepSize());
  if (late == catching_up_) return;
  catching_up_ = late;
  physics.SetRealTimeUpdateRate(late ? kUnpacedHz : update_rate_hz_);
}

Nanoseconds StepGate::Lag(double rate_hz) {
  const auto wall = std::chrono::steady_clock::now();
  const auto sim = FromGazebo(world_->SimTime());
  const double speed = rate_hz * world_->Physics()->GetMaxStepSize();
  if (pace_wall_ && sim >= pace_sim_) {
    const auto passed = std::chrono::duration<double>(wall - *pace_wall_).count();
    const auto lag = FromSeconds(passed * speed) - (sim - pace_sim_);
    if (lag <= kMadeGood) return lag;
  }
  pace_wall_ = wall;
  pace_sim_ = sim;
  return Nanoseconds::zero();
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
