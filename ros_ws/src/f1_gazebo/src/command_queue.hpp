// The car's commands in simulated time. Knows nothing of ROS or Gazebo.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "sim_time.hpp"

namespace f1_gazebo {

struct Command {
  double speed_m_s = 0.0;
  double yaw_rate_rad_s = 0.0;
};

/// One queue for commands that take effect at once and at a scheduled simulated time. Filled by
/// ROS callbacks, read by the physics thread.
class CommandQueue {
 public:
  struct InForce {
    Command command;
    /// By how much the latest scheduled command missed its time; zero when it did not.
    Nanoseconds late{0};
  };

  explicit CommandQueue(Nanoseconds timeout) : timeout_(timeout) {}

  /// Takes effect with the next step.
  void Push(const Command& command);

  /// Takes effect with the first step that starts at `effective` or later.
  void Schedule(Nanoseconds effective, const Command& command);

  /// The command during the step of length `step` that begins at `start`: the last one that has
  /// taken effect, or standing still when that was `timeout` ago or there was none.
  InForce At(Nanoseconds start, Nanoseconds step);

  void Clear();

 private:
  const Nanoseconds timeout_;
  std::mutex mutex_;
  std::optional<Command> immediate_;
  std::multimap<Nanoseconds, Command> scheduled_;
  Command current_;
  std::optional<Nanoseconds> since_;
};

}  // namespace f1_gazebo
