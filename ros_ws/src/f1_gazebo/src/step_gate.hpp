// Decides when the world may go on: the users' pause and, in lockstep, the horizon.
#pragma once

#include <atomic>
#include <functional>
#include <gazebo/common/Event.hh>
#include <gazebo/physics/World.hh>
#include <mutex>

#include "sim_time.hpp"

namespace f1_gazebo {

enum class ClockMode { kRealtime, kLockstep };

/// At the horizon the world is paused, not blocked: the physics thread holds no lock there, so
/// resets and model states work as in any paused world, and the sensors finish the frame.
///
/// In lockstep the world starts paused at horizon 0 and moves when it is both unpaused and below
/// the horizon. In real time there is no horizon. The public functions are for one thread (ROS
/// callbacks); only the hold itself runs in the physics thread.
class StepGate {
 public:
  /// `on_held` is told when the world begins and ends to be held at the horizon.
  StepGate(gazebo::physics::WorldPtr world, ClockMode mode, std::function<void(bool)> on_held);

  void Pause();
  void Unpause();

  /// Raises the horizon; a lower one than now in force is ignored.
  void AdvanceTo(Nanoseconds horizon);

  /// Runs `work` between two steps. Where it resets simulated time, the horizon returns to 0.
  void WhilePaused(const std::function<void()>& work);

 private:
  void HoldAtHorizon();
  void Release();
  bool MayStep() const;

  const gazebo::physics::WorldPtr world_;
  const ClockMode mode_;
  const std::function<void(bool)> on_held_;
  std::mutex hold_mutex_;  ///< Held while the world is held or released.
  std::atomic<bool> paused_{true};
  std::atomic<Nanoseconds> horizon_{Nanoseconds::zero()};
  gazebo::event::ConnectionPtr end_step_;
  gazebo::event::ConnectionPtr time_reset_;
};

}  // namespace f1_gazebo
