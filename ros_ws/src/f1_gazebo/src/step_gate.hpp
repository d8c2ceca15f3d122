// Decides when the world may go on: the users' pause and, in lockstep, the horizon.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <gazebo/common/Event.hh>
#include <gazebo/physics/World.hh>
#include <mutex>
#include <optional>

#include "sim_time.hpp"

namespace f1_gazebo {

enum class ClockMode { kRealtime, kLockstep };

/// At the horizon the world is paused, not blocked: the physics thread holds no lock there, so
/// resets and model states work as in any paused world, and the sensors finish the frame.
///
/// In lockstep the world starts paused at horizon 0 and moves when it is both unpaused and below
/// the horizon. In real time there is no horizon; Gazebo waits there after every step until the
/// step's time has passed, but what a camera or the machine held up it never makes good. Here the
/// steps follow one another without a pause until the world has caught up, if it lags little.
/// The public functions are for one thread (ROS
/// callbacks); only the hold itself runs in the physics thread.
class StepGate {
 public:
  /// `on_held` is told when the world begins and ends to be held at the horizon.
  StepGate(gazebo::physics::WorldPtr world, ClockMode mode, std::function<void(bool)> on_held);

  void Pause();
  void Unpause();

  /// Raises the horizon; a lower one than now in force is ignored.
  void AdvanceTo(Nanoseconds horizon);

  /// Steps a wall second, as asked for: a world that catches up has none in force.
  double UpdateRateHz();
  void SetUpdateRateHz(double rate_hz);

  /// Runs `work` between two steps. Where it resets simulated time, the horizon returns to 0.
  void WhilePaused(const std::function<void()>& work);

 private:
  void HoldAtHorizon();
  void Release();
  bool MayStep() const;
  void KeepPace();
  Nanoseconds Lag(double rate_hz);

  const gazebo::physics::WorldPtr world_;
  const ClockMode mode_;
  const std::function<void(bool)> on_held_;
  std::mutex hold_mutex_;  ///< Held while the world is held or released.
  std::atomic<bool> paused_{true};
  std::atomic<Nanoseconds> horizon_{Nanoseconds::zero()};
  bool catching_up_ = false;  ///< These four are guarded by the mutex.
  double update_rate_hz_ = 0.0;
  std::optional<std::chrono::steady_clock::time_point> pace_wall_;  ///< Since when pace is kept,
  Nanoseconds pace_sim_{0};                                         ///< and its simulated time.
  gazebo::event::ConnectionPtr end_step_;
  gazebo::event::ConnectionPtr time_reset_;
};

}  // namespace f1_gazebo
